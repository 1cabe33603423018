"""What a `bundle.json` that somebody else wrote may make its reader do."""

import json
import os
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.pipeline.bundle_file import read_bundle
from reconciler.pipeline.verifying import ChangedFile, verify_files

HASH = "0" * 64


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("1234")
    folder = tmp_path / "bundle"
    (folder / "specs").mkdir(parents=True)
    (folder / "specs" / "rows.csv").write_text("global_key\n")
    (folder / "out").symlink_to(tmp_path)
    (folder / "loop").symlink_to("loop")
    (folder / "inner").symlink_to("specs/rows.csv")
    os.mkfifo(folder / "pipe")
    return folder


def naming(folder: Path, *names: str, **more: object) -> Path:
    said = {
        "format_version": "1.0",
        "address": "run/m/r",
        "endpoint": "local",
        "organisation": "o",
        "digests": {},
        "files": dict.fromkeys(names, HASH),
    }
    (folder / "bundle.json").write_text(json.dumps({**said, **more}))
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_bundle(folder)
    (found,) = caught.value.diagnostics
    assert found.code == "bundle-damaged"
    found.message.encode()
    return found.message


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/dev/zero", "is no name"),
        ("/etc/passwd", "is no name"),
        ("../secret", "is no name"),
        ("specs/../../secret", "is no name"),
        ("specs/./rows.csv", "is no name"),
        ("specs//rows.csv", "is no name"),
        ("", "is no name"),
        ("specs/\0", "is no name"),
        ("out/secret", "leads out"),
        ("out/not-there", "leads out"),
        ("pipe", "is no regular file"),
        ("specs", "is no regular file"),
    ],
)
def test_a_bundle_names_no_files_but_its_own(folder: Path, name: str, why: str) -> None:
    assert why in refusal(naming(folder, "specs/rows.csv", name))


@pytest.mark.parametrize(
    "more",
    [
        {"files": {"\ud800": HASH}},
        {"files": {"a": "\udfff"}},
        {"organisation": "\ud800"},
        {"address": "run/m/\ud800"},
    ],
)
def test_half_a_character_is_no_text(folder: Path, more: dict[str, object]) -> None:
    assert "surrogates" in refusal(naming(folder, **more))


def test_brackets_without_end_are_no_bundle(folder: Path) -> None:
    (folder / "bundle.json").write_text("[" * 100_000)

    assert "nested too deeply" in refusal(folder)


@pytest.mark.parametrize("target", ["/dev/zero", "../secret", "pipe"])
def test_a_link_is_no_bundle(folder: Path, target: str) -> None:
    (folder / "bundle.json").symlink_to(target)

    assert "'bundle.json'" in refusal(folder)


def test_what_is_not_there_is_missing_and_links_within_are_followed(
    folder: Path, tmp_path: Path
) -> None:
    names = ("gone", "inner", "loop", "x" * 300, "specs/rows.csv")
    (tmp_path / "link").symlink_to(folder)
    here = tmp_path / "link"

    found = verify_files(here, read_bundle(naming(here, *names)))

    assert set(found) == {
        ChangedFile("gone", "missing"),
        ChangedFile("inner", "edited"),
        ChangedFile("loop", "missing"),
        ChangedFile("x" * 300, "missing"),
        ChangedFile("specs/rows.csv", "edited"),
    }


@pytest.mark.parametrize("said", ["[]", "null", "{}", '{"format_version": "1.0"}'])
def test_what_lacks_fields_is_no_bundle(folder: Path, said: str) -> None:
    (folder / "bundle.json").write_text(said)

    assert refusal(folder).endswith("fields are missing")
