import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.manifest.load import find_workspace, load
from reconciler.state.address import Address
from reconciler.state.resources import DataRow, Dataset, GlobalKey, LocalFile
from reconciler.state.snapshot import Desired

Load = Callable[[dict[str, str]], Desired]
Write = Callable[[dict[str, str]], Path]

HEAD = "apiVersion: reconciler/v1\nkind: Dataset\nname: d\n"


def _rows(desired: Desired) -> dict[str, DataRow]:
    dataset = desired.resources[Address.parse("dataset/d")]
    assert isinstance(dataset, Dataset)
    assert dataset.data_rows is not None
    return {str(key): row for key, row in dataset.data_rows.items()}


def test_files_named_by_a_column_are_uploaded(load_files: Load, tmp_path: Path) -> None:
    rows = _rows(
        load_files(
            {
                "specs/a.yaml": HEAD
                + "files:\n- file: data/rows.csv\n  mediaType: IMAGE\n"
                "  columns: {globalKey: key, upload: path, externalId: ext, "
                "metadata: {city: city}}\n",
                "specs/data/rows.csv": "key,path,ext,city\n"
                "a,../images/a.PNG,first,Oslo\nb,b,,\n",
                "specs/images/a.PNG": "one",
                "specs/data/b": "other",
            }
        )
    )

    assert list(rows) == ["a", "b"]
    assert rows["a"] == DataRow(
        global_key=GlobalKey("a"),
        content=LocalFile(
            path=str(tmp_path.resolve() / "specs/images/a.PNG"),
            name="specs/images/a.PNG",
            sha256=hashlib.sha256(b"one").hexdigest(),
            size=3,
            media_type="image/png",
        ),
        external_id="first",
        media_type="IMAGE",
        metadata=({"name": "city", "value": "Oslo"},),
        fingerprint=rows["a"].fingerprint,
    )
    assert rows["b"].external_id is None
    assert rows["b"].metadata == ()
    assert isinstance(rows["b"].content, LocalFile)
    assert rows["b"].content.media_type == "application/octet-stream"


def test_row_data_is_taken_from_a_column(load_files: Load) -> None:
    rows = _rows(
        load_files(
            {
                "specs/a.yaml": HEAD + "files:\n"
                "- {file: rows.csv, columns: {globalKey: key, rowData: url}}\n"
                "- {file: rows.jsonl, columns: {globalKey: k, rowData: d, "
                "metadata: {size: n}}}\n",
                "specs/rows.csv": "key,url\na,https://example.com/a.png\n",
                "specs/rows.jsonl": '{"k": "b", "d": {"pdf_url": "x"}, "n": 2.0}\n',
            }
        )
    )

    assert rows["a"].content == "https://example.com/a.png"
    assert rows["b"].content == {"pdf_url": "x"}
    assert rows["b"].metadata == ({"name": "size", "value": 2},)


def test_an_ndjson_file_may_hold_rows_as_the_sdk_takes_them(load_files: Load) -> None:
    line = (
        '{"global_key": "a", "row_data": "text", "external_id": "e", '
        '"media_type": "TEXT", "attachments": [{"type": "RAW_TEXT", "value": "v"}], '
        '"metadata_fields": [{"schema_id": "s", "value": 1.5}, '
        '{"name": "n", "value": "x"}]}\n'
    )
    rows = _rows(
        load_files(
            {
                "specs/a.yaml": HEAD
                + "files: [{file: rows.ndjson, mediaType: HTML}]\n",
                "specs/rows.ndjson": line
                + '{"global_key": "b", "row_data": {"tile_layer_url": "u"}}\n',
            }
        )
    )

    assert rows["a"] == DataRow(
        global_key=GlobalKey("a"),
        content="text",
        external_id="e",
        media_type="TEXT",
        metadata=({"schemaId": "s", "value": 1.5}, {"name": "n", "value": "x"}),
        attachments=({"type": "RAW_TEXT", "value": "v"},),
        fingerprint=rows["a"].fingerprint,
    )
    assert rows["b"].media_type == "HTML"
    assert rows["b"].content == {"tile_layer_url": "u"}


@pytest.mark.parametrize(
    ("file", "text", "columns"),
    [
        (
            "r.csv",
            "key,url\na,http://embedded.invalid/files/1/a.png\n",
            "  columns: {globalKey: key, rowData: url}\n",
        ),
        (
            "r.ndjson",
            '{"global_key": "a", "row_data": "http://embedded.invalid/files/1/a"}\n',
            "",
        ),
    ],
)
def test_files_of_an_embedded_server_lead_nowhere(
    write: Write, file: str, text: str, columns: str
) -> None:
    manifest = f"{HEAD}files:\n- file: {file}\n{columns}"
    root = write({"specs/a.yaml": manifest, f"specs/{file}": text})

    with pytest.raises(InputError) as caught:
        load(find_workspace(root))

    (found,) = caught.value.diagnostics
    assert found.code == "row-invalid"
    assert found.span is not None
    assert found.span.file == f"specs/{file}"
    assert found.message.startswith("http://embedded.invalid is the embedded server")


def _fingerprint(write: Write, manifest: str, csv: str, image: str = "") -> str:
    root = write(
        {
            "specs/a.yaml": f"{HEAD}files: [{{file: rows.csv, {manifest}}}]\n",
            "specs/rows.csv": csv,
            "specs/image": image,
            "specs/moved": image,
        }
    )
    return _rows(load(find_workspace(root)))["a"].fingerprint


UPLOAD = "columns: {globalKey: key, upload: path}"
URL = "columns: {globalKey: key, rowData: url, externalId: ext}"


def test_a_fingerprint_is_the_same_for_ever(write: Write) -> None:
    assert _fingerprint(write, URL, "key,url,ext\na,u,e\n") == (
        "sha256:9d1373c726d845f9daf09dcfdf6654e61a6b2035d222ed2bd322e53fccbbf475"
    )


def test_a_fingerprint_changes_with_what_the_row_says(write: Write) -> None:
    prints = [
        _fingerprint(write, URL, "key,url,ext\na,u,\n"),
        _fingerprint(write, URL, "key,url,ext\na,v,\n"),
        _fingerprint(write, URL, "key,url,ext\na,u,e\n"),
        _fingerprint(write, f"{URL}, mediaType: TEXT", "key,url,ext\na,u,\n"),
        _fingerprint(write, UPLOAD, "key,path\na,image\n", "one"),
        _fingerprint(write, UPLOAD, "key,path\na,image\n", "two"),
    ]

    assert len(set(prints)) == 6


def test_a_moved_file_has_not_changed(write: Write) -> None:
    before = _fingerprint(write, UPLOAD, "key,path\na,image\n", "one")

    assert _fingerprint(write, UPLOAD, "key,path\na,moved\n", "one") == before


def test_a_file_to_upload_must_not_be_a_link_that_leaves(write: Write) -> None:
    root = write(
        {
            "specs/a.yaml": f"{HEAD}files: [{{file: rows.csv, {UPLOAD}}}]\n",
            "specs/rows.csv": "key,path\na,link\nb,folder/secret\nc,loop\n",
        }
    )
    (root.parent / "secret").write_text("secret")
    (root / "specs/link").symlink_to(root.parent / "secret")
    (root / "specs/folder").symlink_to(root.parent)
    (root / "specs/loop").symlink_to(root / "specs/loop")

    with pytest.raises(InputError) as raised:
        load(find_workspace(root))

    assert [(str(found.span), found.code) for found in raised.value.diagnostics] == [
        ("specs/folder:1:1", "file-outside"),
        ("specs/rows.csv:2:3", "file-outside"),
        ("specs/rows.csv:3:3", "file-outside"),
        ("specs/rows.csv:4:3", "file-missing"),
    ]


@pytest.mark.parametrize(
    "path", [".env", "../.git/config", "..//./.git/config", "link", "folder/config"]
)
def test_what_is_hidden_is_not_uploaded(path: str, write: Write) -> None:
    root = write(
        {
            "specs/a.yaml": f"{HEAD}files: [{{file: rows.csv, {UPLOAD}}}]\n",
            "specs/rows.csv": f"key,path\na,{path}\n",
            "specs/.env": "secret",
            ".git/config": "secret",
        }
    )
    (root / "specs/link").symlink_to(root / ".git/config")
    (root / "specs/folder").symlink_to(root / ".git")

    with pytest.raises(InputError) as raised:
        load(find_workspace(root))

    (found,) = raised.value.diagnostics
    assert (found.code, str(found.span)) == ("file-outside", "specs/rows.csv:2:3")
    assert "what begins with a dot" in found.message


def test_dots_that_hide_nothing_are_no_matter(write: Write) -> None:
    root = write(
        {
            "specs/a.yaml": f"{HEAD}files: [{{file: ./rows.csv, {UPLOAD}}}]\n",
            "specs/rows.csv": "key,path\na,.././specs/../a.b\n",
            "a.b": "content",
        }
    )

    assert len(_rows(load(find_workspace(root)))) == 1


def test_a_link_inside_of_the_workspace_may_be_uploaded(write: Write) -> None:
    root = write(
        {
            "specs/a.yaml": f"{HEAD}files: [{{file: rows.csv, {UPLOAD}}}]\n",
            "specs/rows.csv": "key,path\na,link\n",
            "blobs/3f": "content",
        }
    )
    (root / "specs/link").symlink_to(root / "blobs/3f")

    content = _rows(load(find_workspace(root)))["a"].content

    assert isinstance(content, LocalFile)
    assert content.name == "blobs/3f"
    assert content.size == 7
