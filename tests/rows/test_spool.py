"""Bytes put aside, in memory or not, and what is left of them."""

import gc
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reconciler.rows import spool as module
from reconciler.rows.spool import Room, Spool


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where spools of this test go when they leave memory."""
    monkeypatch.setattr(module, "_folder", lambda: tmp_path)
    return tmp_path


def test_a_part_is_what_was_added_to_it_in_its_order(folder: Path) -> None:
    spool = Spool(Room(1000))

    spool.add(2, b"one ")
    spool.add(0, b"other")
    spool.add(2, b"two")

    assert (spool.read(0), spool.read(1), spool.read(2)) == (b"other", b"", b"one two")
    assert spool.parts() == [0, 2]
    assert list(folder.iterdir()) == []


def test_what_has_left_memory_comes_before_what_is_still_there(folder: Path) -> None:
    spool = Spool(Room(7))

    for content in (b"aaaa", b"bbbb", b"c"):
        spool.add(1, content)
        spool.add(9, content.upper())
    in_memory = spool.in_memory
    spool.add(1, b"")

    assert spool.on_disk > 0
    assert in_memory <= 8
    assert (spool.read(1), spool.read(9)) == (b"aaaabbbbc", b"AAAABBBBC")
    assert spool.parts() == [1, 9]


def test_a_spool_leaves_memory_when_others_need_the_room(folder: Path) -> None:
    room = Room(100)
    first, second = Spool(room), Spool(room)
    first.add(0, b"x" * 90)

    second.add(0, b"y" * 20)

    assert (first.on_disk, second.on_disk, second.in_memory) == (0, 20, 0)
    assert second.read(0) == b"y" * 20


def test_a_small_spool_is_settled_once_the_room_is_full(folder: Path) -> None:
    room = Room(100)
    large, small = Spool(room), Spool(room)
    small.add(0, b"y")
    for _ in range(11):
        large.add(0, b"x" * 10)
        large._look_at = 1000  # as if it grew within one look

    small.settle()

    assert (small.in_memory, small.on_disk) == (0, 1)


def test_room_comes_back_when_nobody_holds_a_spool(folder: Path) -> None:
    room = Room(100)
    gone = Spool(room)
    gone.add(0, b"x" * 99)
    del gone
    gc.collect()

    spool = Spool(room)
    spool.add(0, b"y" * 50)

    assert spool.on_disk == 0


def test_the_file_of_a_spool_goes_with_it(folder: Path) -> None:
    spool = Spool(Room(1))
    spool.add(0, b"content")
    there = len(list(folder.iterdir()))

    del spool
    gc.collect()

    assert there == 1
    assert list(folder.iterdir()) == []


def test_files_of_spools_that_are_still_held_go_with_the_process(
    tmp_path: Path,
) -> None:
    code = (
        "import tempfile; from reconciler.rows.spool import Room, Spool\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "spool = Spool(Room(1)); spool.add(0, b'content')\n"
        f"from pathlib import Path; print(len(list(Path({str(tmp_path)!r}).rglob('*'))))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )

    assert done.stdout == "2\n"
    assert list(tmp_path.iterdir()) == []


def test_the_private_folder_is_among_the_temporary_ones() -> None:
    assert module._folder().parent == Path(tempfile.gettempdir())
