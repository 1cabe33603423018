"""Exported data rows as the files of datasets."""

import json
from pathlib import Path
from typing import IO, Any

import pytest

from reconciler.manifest.dump import dump
from reconciler.pipeline import workspaces
from reconciler.pipeline.folders import Folder
from reconciler.pipeline.media import DataRowFiles
from reconciler.ports import Unavailable
from reconciler.state.contents import RunRow
from reconciler.state.resources import Dataset, GlobalKey, LocalFile, Split

WORKSPACE = "apiVersion: reconciler/v1\nkind: Workspace\nname: media\n"


def row(key: str | None, row_data: Any, dataset: str | None = None, **more: Any) -> Any:
    data_row: dict[str, Any] = {"id": f"id-{key}", "row_data": row_data}
    if dataset is not None:
        data_row["details"] = {"dataset_name": dataset}
    line = json.dumps({"data_row": data_row, **more}).encode()
    return RunRow(
        id=f"id-{key}", key=key, split=Split.TEST, line=line, data_row=data_row
    )


def fetch(url: str, file: IO[bytes]) -> None:
    if "gone" in url:
        raise Unavailable("it is gone")
    file.write(url.rpartition("/")[2].encode())


def datasets(root: Path, *rows: Any, media: bool) -> dict[str, Dataset]:
    """Write rows, and load what was declared."""
    folder = Folder(root)
    files = DataRowFiles(folder, "specs", default="all", fetch=fetch if media else None)
    with files:
        files.take(rows)
    folder.write("specs/m.yaml", dump(files.documents()).encode())
    folder.write("reconciler.yaml", WORKSPACE.encode())
    desired = workspaces.specify(root).desired
    return {one.name: one for one in desired.datasets()}


def content(found: Dataset, key: str) -> Any:
    assert found.data_rows is not None
    return found.data_rows[GlobalKey(key)].content


def test_rows_go_to_the_dataset_that_they_are_of(tmp_path: Path) -> None:
    found = datasets(
        tmp_path,
        row("a", "https://e.test/a.png", "one"),
        row("b", "a text", "two"),
        row("c", {"type": "conversation"}),
        row("d", "https://e.test/d.png", "one"),
        media=False,
    )

    assert {name: sorted(one.data_rows or ()) for name, one in found.items()} == {
        "one": ["a", "d"],
        "two": ["b"],
        "all": ["c"],
    }
    assert content(found["all"], "c") == {"type": "conversation"}


def test_only_content_at_urls_is_fetched(tmp_path: Path) -> None:
    found = datasets(
        tmp_path,
        row("a", "https://e.test/x/cat.PNG?sig=1"),
        row("b", "a text"),
        row("c", "https://e.test/what", media_attributes={"mime_type": "text/plain"}),
        row("d", "https://e.test/data.zip"),
        media=True,
    )["all"]

    assert content(found, "b") == "a text"
    uploads = [content(found, key) for key in "acd"]
    assert all(isinstance(one, LocalFile) for one in uploads)
    assert [one.media_type for one in uploads] == [
        "image/png",
        "text/plain",
        "application/octet-stream",
    ]
    assert Path(uploads[1].path).read_bytes() == b"what"


def test_equal_content_is_one_file(tmp_path: Path) -> None:
    found = datasets(
        tmp_path,
        row("a", "https://e.test/1/same.png"),
        row("b", "https://e.test/2/same.png"),
        media=True,
    )["all"]

    assert content(found, "a") == content(found, "b")
    assert len(list((tmp_path / "media").iterdir())) == 1


def test_metadata_come_along_either_way(tmp_path: Path) -> None:
    tag = {"schema_id": "s", "schema_name": "tag", "value": "x"}
    number = {"schema_id": "n", "schema_name": "number", "value": 0.5}
    odd = {"schema_id": "o", "schema_name": "odd", "value": ["a", "b"]}
    found = datasets(
        tmp_path,
        row("a", "https://e.test/a.png", metadata_fields=[tag, odd]),
        row("b", "https://e.test/b.png", metadata_fields=[number]),
        row("c", "text", metadata_fields=[{"schema_id": "s", "value": "y"}]),
        media=True,
    )["all"]

    assert found.data_rows is not None
    assert [found.data_rows[GlobalKey(key)].metadata for key in "abc"] == [
        ({"name": "tag", "value": "x"},),
        ({"name": "number", "value": 0.5},),
        ({"schemaId": "s", "value": "y"},),
    ]


def test_what_can_not_be_declared_is_counted(tmp_path: Path) -> None:
    files = DataRowFiles(Folder(tmp_path), "specs", default="all", fetch=fetch)
    with files:
        files.take(
            [
                row(None, "https://e.test/a.png"),
                row("two  spaces", "https://e.test/a.png"),
                row(
                    "a",
                    "https://e.test/a.png",
                    attachments=[{"type": "RAW_TEXT", "value": "t"}],
                    metadata_fields=[{"schema_name": "odd", "value": {}}],
                ),
            ]
        )

    assert (files.bare, files.unsaid, files.at_urls) == (1, 1, 0)
    (declared,) = files.documents()
    assert declared["files"] == [
        {
            "file": "uploads.ndjson",
            "columns": {
                "globalKey": "global_key",
                "upload": "file",
                "externalId": "external_id",
            },
        }
    ]


def test_content_that_can_not_be_fetched_is_an_error(tmp_path: Path) -> None:
    files = DataRowFiles(Folder(tmp_path), "specs", default="all", fetch=fetch)

    with files, pytest.raises(Unavailable) as caught:
        files.take([row("a", "https://e.test/x/gone.png?signature=secret")])

    assert caught.value.reason == (
        "the content of data row a, e.test/x/gone.png: it is gone"
    )


def test_content_at_the_remote_itself_is_told_from_that_of_others(
    tmp_path: Path,
) -> None:
    files = DataRowFiles(
        Folder(tmp_path), "specs", default="all", fetch=None, host="e.test:8080"
    )
    with files:
        files.take(
            [
                row("a", "https://e.test:8080/a.png"),
                row("b", "https://e.test/b.png"),
                row("c", "https://e.test:8080.test/c.png"),
                row("d", "a text"),
            ]
        )

    assert (files.at_home, files.at_urls) == (1, 2)


def test_only_a_few_files_are_on_their_way_at_a_time(tmp_path: Path) -> None:
    files: list[IO[bytes]] = []
    most = 0

    def fetch(url: str, file: IO[bytes]) -> None:
        nonlocal most
        file.write(url.encode())
        files.append(file)
        most = max(most, sum(not one.closed for one in files))

    rows = [row(f"{n}", f"https://e.test/{n}") for n in range(200)]
    with DataRowFiles(Folder(tmp_path), "specs", default="all", fetch=fetch) as taken:
        taken.take(rows)

    assert len(list((tmp_path / "media").iterdir())) == 200
    assert most <= 20
    assert all(one.closed for one in files)


def test_what_was_on_its_way_is_closed_when_another_fails(tmp_path: Path) -> None:
    files: list[IO[bytes]] = []

    def fetch(url: str, file: IO[bytes]) -> None:
        files.append(file)
        if "gone" in url:
            raise Unavailable("it is gone")

    rows = [row(name, f"https://e.test/{name}") for name in ("gone", "a", "b")]
    taken = DataRowFiles(Folder(tmp_path), "specs", default="all", fetch=fetch)
    with taken, pytest.raises(Unavailable):
        taken.take(rows)

    assert files
    assert all(one.closed for one in files)
