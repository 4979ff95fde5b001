"""Linear algebra on one thread, for a while."""

import pytest

from sr_bench.system.blas import blas_threads, one_blas_thread


def test_openblas_has_one_thread_meanwhile_and_those_it_had_afterwards() -> None:
    found = blas_threads()
    if found is None:
        pytest.skip("numpy's linear algebra is not OpenBLAS")
    get, change = found
    before = get()
    change(2)
    try:
        with one_blas_thread():
            assert get() == 1
        assert get() == 2
    finally:
        change(before)
