"""What is read once for many: labels of projects, unless they change meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

from reconciler.remote.session import Kept
from reconciler.state.address import RemoteId
from reconciler.state.labels import ContentHash, CurrentLabel

PROJECT = RemoteId("p1")
LABEL = CurrentLabel("1", "a", RemoteId("l1"), ContentHash("sha256:0"))


def test_those_who_ask_at_the_same_time_share_one_read() -> None:
    kept, begun, done = Kept(), Event(), Event()
    reads = []

    def read() -> list[CurrentLabel]:
        reads.append(1)
        begun.set()
        assert done.wait(10)
        return [LABEL]

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.labels, PROJECT, read, now=0.0)
        assert begun.wait(10)
        second = pool.submit(kept.labels, PROJECT, read, now=0.0)
        done.set()

        assert first.result() == second.result() == [LABEL]
    assert len(reads) == 1


def test_what_was_changed_while_it_was_read_is_read_again() -> None:
    kept = Kept()

    def read() -> list[CurrentLabel]:
        kept.forget(PROJECT)
        return [LABEL]

    kept.labels(PROJECT, read, now=0.0)

    assert kept.labels(PROJECT, list, now=0.0) == []


def test_projects_are_kept_apart() -> None:
    kept = Kept()
    kept.labels(PROJECT, lambda: [LABEL], now=0.0)

    kept.forget(RemoteId("p2"))

    assert kept.labels(RemoteId("p2"), list, now=0.0) == []
    assert kept.labels(PROJECT, list, now=0.0) == [LABEL]
