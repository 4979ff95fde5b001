"""A network is opened once for all shards of its run, and closed when others need the room."""

from threading import Barrier, Thread

import pytest

from sr_bench.core.backend import BatchSession
from sr_bench.engine.elsewhere.cluster.sessions import OpenSessions


class Session:
    device = "cpu"
    notes = {"a": "b"}

    def __init__(self) -> None:
        self.closed = 0

    def run(self, lr):
        return lr + 1

    def close(self) -> None:
        self.closed += 1


class Batches(Session):
    def batch(self, shape) -> int:
        return 7

    def start(self, batch):
        return lambda: [batch]


def test_a_session_is_opened_once_and_stays_open_between_uses() -> None:
    opened = [Session()]
    sessions = OpenSessions()
    for _ in range(2):
        with sessions.borrow("k", opened.pop if opened else pytest.fail) as found:
            assert (found.device, found.notes, found.run(1)) == ("cpu", {"a": "b"}, 2)
        found.close()


def test_those_used_longest_ago_close_but_never_one_in_use() -> None:
    made = {key: Session() for key in "abc"}
    sessions = OpenSessions(1)
    used = sessions.borrow("a", lambda: made["a"])
    for key in "bc":
        sessions.borrow(key, lambda key=key: made[key]).close()
    assert [one.closed for one in made.values()] == [0, 1, 1]
    used.close()
    sessions.borrow("b", Session).close()
    assert made["a"].closed == 1


def test_closing_ends_those_that_nobody_uses_now_and_the_others_later() -> None:
    idle, used = Session(), Session()
    sessions = OpenSessions()
    sessions.borrow("a", lambda: idle).close()
    borrowed = sessions.borrow("b", lambda: used)
    sessions.close()
    assert (idle.closed, used.closed) == (1, 0)
    borrowed.close()
    assert used.closed == 1


def test_threads_that_ask_at_the_same_time_share_one_session() -> None:
    opened, found, together = [], [], Barrier(4)

    def open_one() -> Session:
        opened.append(Session())
        return opened[-1]

    def ask() -> None:
        together.wait()
        found.append(sessions.borrow("k", open_one))

    sessions = OpenSessions()
    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), len(found)) == (1, 4)


def test_a_session_that_could_not_be_opened_is_tried_again() -> None:
    sessions = OpenSessions()
    with pytest.raises(ZeroDivisionError):
        sessions.borrow("k", lambda: 1 // 0)
    assert sessions.borrow("k", Session).run(1) == 2


def test_a_session_that_takes_batches_still_does() -> None:
    sessions = OpenSessions()
    plain, batches = sessions.borrow("a", Session), sessions.borrow("b", Batches)
    assert (isinstance(plain, BatchSession), isinstance(batches, BatchSession)) == (False, True)
    assert (batches.batch((1, 3, 8, 8)), batches.start("x")()) == (7, ["x"])
