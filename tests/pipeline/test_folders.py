"""Files that come to be together, or not at all."""

import hashlib
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.pipeline.folders import added_files, folded, told_apart, whole_folder


class StoppedError(Exception):
    """Whatever ends the writing early."""


def names(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
    )


def test_a_folder_is_there_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "bundle"
    with whole_folder(target) as folder:
        with folder.sheet("a/lines.txt") as sheet:
            sheet.write(b"one\n")
            sheet.write(b"two\n")
        assert not target.exists()

    assert (target / "a" / "lines.txt").read_bytes() == b"one\ntwo\n"
    assert names(tmp_path) == ["new/bundle/a/lines.txt"]
    expected = hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert folder.hashes == {"a/lines.txt": expected}


def test_a_folder_that_was_stopped_leaves_nothing(tmp_path: Path) -> None:
    def stop() -> None:
        with whole_folder(tmp_path / "b") as folder:
            folder.write("a.txt", b"a")
            raise StoppedError

    with pytest.raises(StoppedError):
        stop()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("occupied", ["file", "folder", "here"])
def test_what_is_there_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, occupied: str
) -> None:
    target = tmp_path / "b"
    match occupied:
        case "file":
            target.write_text("mine")
        case "folder":
            target.mkdir()
            (target / "mine").touch()
        case _:
            target.mkdir()
            monkeypatch.chdir(target)

    with pytest.raises(InputError) as caught, whole_folder(target):
        pass

    assert [one.code for one in caught.value.diagnostics] == ["file-exists"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with whole_folder(tmp_path / "b") as folder:
        folder.write("a.txt", b"a")

    assert names(tmp_path) == ["b/a.txt"]


def test_files_are_added_all_or_none(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "mine").write_text("mine")

    def write() -> None:
        with added_files(tmp_path) as folder:
            folder.write("specs/new/a.txt", b"a")
            folder.write("specs/mine", b"yours")

    with pytest.raises(InputError) as caught:
        write()

    assert [one.code for one in caught.value.diagnostics] == ["file-exists"]
    assert names(tmp_path) == ["specs/mine"]
    assert (tmp_path / "specs" / "mine").read_text() == "mine"
    assert not (tmp_path / "specs" / "new").exists()


def test_a_sheet_without_a_line_makes_no_file(tmp_path: Path) -> None:
    with added_files(tmp_path) as folder, folder.sheet("a.txt"):
        pass

    assert names(tmp_path) == []


def test_what_was_dropped_can_be_written_again(tmp_path: Path) -> None:
    with added_files(tmp_path) as folder:
        folder.write("a.txt", b"a")
        folder.drop("a.txt")
        folder.drop("never.txt")
        folder.write("a.txt", b"b")

    assert (tmp_path / "a.txt").read_bytes() == b"b"


def test_names_that_differ_in_case_only_are_told_apart() -> None:
    taken = {folded(told_apart("Night", ()))}

    assert told_apart("Night", ()) == "Night"
    assert told_apart("day", taken) == "day"
    assert told_apart("night", taken) == "night-176473d7313395b6"
    assert folded("E\u0301") == folded("\xe9")
