"""Digests of files and bytes."""

import pytest

from sr_bench.errors import SrBenchError
from sr_bench.files.hashing import parse_sha256sums, sha256_bytes, sha256_file

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1


def test_the_digest_of_abc_is_the_one_of_the_standard(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_bytes(b"abc") == ABC
    assert sha256_file(tmp_path / "abc") == ABC


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(SrBenchError, match=r"abc.*no such file"):
        sha256_file(tmp_path / "abc")


def test_a_folder_has_no_digest(tmp_path):
    with pytest.raises(SrBenchError, match="is a folder"):
        sha256_file(tmp_path)


def test_sums_in_text_and_binary_mode_are_read():
    text = f"# a comment\n\n{ABC}  a file.png\n{ABC} *b.png\n"
    assert parse_sha256sums(text) == {"a file.png": ABC, "b.png": ABC}


@pytest.mark.parametrize("line", ["abc  a.png", ABC, ABC.upper() + "  a.png", "z" * 64 + "  a"])
def test_a_line_that_is_not_a_sum_is_refused_with_its_number(line):
    with pytest.raises(ValueError, match="line 2: expected"):
        parse_sha256sums(f"{ABC}  good\n{line}\n")
