"""A network is opened once for all shards of its run, and closed when others need the room."""

from contextlib import ExitStack
from threading import Barrier, Thread

import pytest

from sr_bench.engine.elsewhere.cluster.sessions import OpenSessions


class Session:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_a_session_is_opened_once_and_stays_open_between_uses() -> None:
    opened = Session()
    sessions, unopened = OpenSessions(), [opened]
    for _ in range(2):
        with sessions.lend("k", unopened.pop) as session:
            assert session is opened
    assert opened.closed == 0


def test_those_used_longest_ago_close_but_never_one_in_use() -> None:
    opened = {key: Session() for key in "abc"}
    sessions = OpenSessions(1)
    with sessions.lend("a", lambda: opened["a"]):
        for key in "bc":
            with sessions.lend(key, lambda key=key: opened[key]):
                pass
        assert [session.closed for session in opened.values()] == [0, 1, 1]
    with sessions.lend("b", Session):
        pass
    assert opened["a"].closed == 1


def test_closing_ends_those_that_nobody_uses_now_and_the_others_later() -> None:
    idle, used = Session(), Session()
    sessions = OpenSessions()
    with sessions.lend("a", lambda: idle):
        pass
    with sessions.lend("b", lambda: used):
        sessions.close()
        assert (idle.closed, used.closed) == (1, 0)
    assert used.closed == 1


def test_threads_that_ask_at_the_same_time_share_one_session() -> None:
    opened, lent, together = [], [], Barrier(4, timeout=60)
    sessions = OpenSessions()

    def open_session() -> Session:
        opened.append(Session())
        return opened[-1]

    def ask() -> None:
        together.wait()
        lent.append(held.enter_context(sessions.lend("k", open_session)))

    with ExitStack() as held:
        threads = [Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(opened), len(lent)) == (1, 4)


def test_a_session_that_could_not_be_opened_is_tried_again() -> None:
    sessions = OpenSessions()
    with pytest.raises(ZeroDivisionError), sessions.lend("k", lambda: 1 // 0):
        pass
    with sessions.lend("k", Session) as session:
        assert session.closed == 0
