"""Locks: what is written is read again, and nothing else is."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.rows.digest import digest_rows
from reconciler.rows.honesty import Values
from reconciler.rows.honesty_large import LargeValues
from reconciler.rows.lock import (
    FIRST,
    LabelsHeader,
    LockError,
    RowsHeader,
    read_header,
    says,
)
from reconciler.rows.lock_labels import labels_header, labels_lines, read_labels
from reconciler.rows.lock_large import read_text, write_parquet
from reconciler.rows.lock_rows import (
    LockedRows,
    in_parquet,
    read_rows,
    row_fields,
    rows_header,
    rows_lines,
)
from reconciler.rows.names import check_name
from reconciler.state.address import RemoteId, project_address
from reconciler.state.canonical import JsonValue
from reconciler.state.labels import ContentHash, PinnedLabel
from reconciler.state.resources import RowIdentity, Split

T, V, E, U = Split
HASHED: JsonValue = {"hash": {"salt": "", "weights": {"TEST": 100}}}
ROWS = {"night-2": E, "night-1": T, "æ": U}
GROUPS = {"night-1": "Oslo", "night-2": "Bergen"}

PLAIN, LARGE = 1000, 0
READERS = pytest.mark.parametrize("large", [PLAIN, LARGE], ids=["plain", "large"])

Edit = Callable[[str], str]


def header_of(
    rows: Mapping[str, Split] = ROWS,
    groups: Mapping[str, str] | None = GROUPS,
    splits: JsonValue = HASHED,
) -> RowsHeader:
    return rows_header(
        select={"source": "dataset/streets"},
        splits=splits,
        endpoint="local",
        organisation=RemoteId("org"),
        rows=rows,
        groups=groups,
    )


def write_text(
    file: Path,
    rows: Mapping[str, Split] = ROWS,
    groups: Mapping[str, str] | None = GROUPS,
    splits: JsonValue = HASHED,
) -> Path:
    header = header_of(rows, groups, splits)
    file.write_text(
        "".join(rows_lines(header, rows, groups)), encoding="utf-8", newline=""
    )
    return file


def read(file: Path, *, large: int, parquet: Path | None = None) -> LockedRows:
    header = read_header(file)
    assert isinstance(header, RowsHeader)
    return read_rows(file, header, parquet=parquet, large=large)


def told(values: "Values | None") -> dict[str, str]:
    if isinstance(values, LargeValues):
        values = values.plain()
    assert values is not None
    return {key: value for key, value in values.items() if value}


def test_a_lock_is_text_that_can_be_reviewed(tmp_path: Path) -> None:
    first, second, *rows = write_text(tmp_path / "a.lock").read_text().splitlines()

    assert first == '# reconciler lock v1; made by "reconciler lock", not by hand'
    assert second.startswith('# {"endpoint":"local","groups":"sha256:')
    assert '"kind":"rows"' in second
    assert rows == [
        "night-1\tTRAINING\tOslo",
        "night-2\tTEST\tBergen",
        "æ\tUNASSIGNED\t",
    ]


@READERS
def test_rows_are_read_as_they_were_locked(tmp_path: Path, large: int) -> None:
    found = read(write_text(tmp_path / "a.lock"), large=large)

    assert dict(found.membership) == ROWS
    assert found.membership.digest() == digest_rows(ROWS.items())
    assert found.membership.assigns_splits
    assert told(found.groups) == GROUPS


@READERS
def test_splits_and_groups_that_nobody_asks_for_are_empty(
    tmp_path: Path, large: int
) -> None:
    file = write_text(tmp_path / "a.lock", {"a": U, "b": U}, None, None)

    found = read(file, large=large)

    assert file.read_text().splitlines()[2:] == ["a\t\t", "b\t\t"]
    assert dict(found.membership) == {"a": U, "b": U}
    assert not found.membership.assigns_splits
    assert found.groups is None


def test_many_rows_are_read_without_python_objects(tmp_path: Path) -> None:
    file = write_text(tmp_path / "a.lock")

    assert read_text(file, header_of()) is not None


@READERS
def test_a_checkout_with_windows_line_ends_is_no_edit(
    tmp_path: Path, large: int
) -> None:
    file = write_text(tmp_path / "a.lock")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))

    assert dict(read(file, large=large).membership) == ROWS


@pytest.mark.parametrize(
    ("edit", "line", "why"),
    [
        (lambda text: text.replace("TRAINING\tO", "TEST\tO"), 2, "says splits_digest"),
        (lambda text: text.replace("Oslo", "Turku"), 2, "says groups"),
        (lambda text: text.replace("night-2\t", "night-3\t"), 2, "says members"),
        (lambda text: text.replace("night-2\tTEST\tBergen\n", ""), 2, "says rows 3"),
        (lambda text: text.replace("TEST\tB", "\tB"), 4, "'' is no split"),
        (lambda text: text.replace("TEST\tB", "test\tB"), 4, "'test' is no split"),
        (lambda text: text.replace("night-2", "a"), 4, "'a' isn't where it is sorted"),
        (lambda text: text.replace("night-2", "night-1"), 4, "isn't where it is sort"),
        (lambda text: text.replace("night-1\t", "<<<<<<<\nnight-1\t"), 3, "3 fields"),
        (lambda text: text.replace("\tOslo", "\tOslo\t"), 3, "3 fields are expected"),
        (lambda text: text.replace("night-1", " night-1"), 3, "leading, trailing"),
        (lambda text: text.replace("night-1", "night\x011"), 3, "control character"),
        (lambda text: text[:-1], 5, "the last line is cut"),
        (lambda text: text.replace('"rows":3', '"rows":0'), 2, "it has no rows"),
    ],
)
@READERS
def test_an_edited_lock_is_refused(
    tmp_path: Path, edit: Edit, line: int, why: str, large: int
) -> None:
    file = write_text(tmp_path / "a.lock")
    text = file.read_text()
    assert edit(text) != text
    file.write_text(edit(text))

    with pytest.raises(LockError, match=why) as caught:
        read(file, large=large)

    assert caught.value.line == line


@READERS
def test_groups_that_nobody_asked_for_are_an_edit(tmp_path: Path, large: int) -> None:
    file = write_text(tmp_path / "a.lock", ROWS, None)
    file.write_text(file.read_text().replace("TEST\t\n", "TEST\tOslo\n"))

    with pytest.raises(LockError, match="rows have groups, and the header says none"):
        read(file, large=large)


def test_what_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = write_text(tmp_path / "a.lock")
    file.write_bytes(file.read_bytes().replace(b"Oslo", b"\xff"))

    for large in (PLAIN, LARGE):
        with pytest.raises(LockError, match="not UTF-8"):
            read(file, large=large)


@pytest.mark.parametrize(
    ("edit", "line", "why"),
    [
        (lambda text: "# " + text, 1, "doesn't begin as locks of this version do"),
        (lambda text: text.replace("lock v1", "lock v2"), 1, "doesn't begin as locks"),
        (lambda _: FIRST + "\n", 2, "the header is missing"),
        (lambda text: text.replace('"rows":3', '"rows":"3"'), 2, "can't be read"),
        (lambda text: text.replace('"rows":3', '"rows":true'), 2, "can't be read"),
        (lambda text: text.replace('"rows":3', '"rows":3,"x":1'), 2, "can't be read"),
        (lambda text: text.replace('"rows":3,', ""), 2, "can't be read"),
        (lambda text: text.replace("# {", "# " + "[" * 100_000), 2, "can't be read"),
        (lambda text: text.replace('"kind":"rows"', '"kind":"x"'), 2, "can't be read"),
    ],
)
def test_what_is_no_lock_is_refused(
    tmp_path: Path, edit: Edit, line: int, why: str
) -> None:
    file = write_text(tmp_path / "a.lock")
    text = file.read_text()
    assert edit(text) != text
    file.write_text(edit(text))

    with pytest.raises(LockError, match=why) as caught:
        read_header(file)

    assert caught.value.line == line


def parquet_lock(folder: Path) -> tuple[Path, Path]:
    header = header_of()
    beside = folder / "a.parquet"
    digest = write_parquet(row_fields(header, ROWS, GROUPS), beside)
    header = in_parquet(header, digest)
    file = folder / "a.lock"
    file.write_text("".join(rows_lines(header, ROWS, GROUPS)))
    return file, beside


@READERS
def test_rows_beside_a_lock_are_read_as_they_were_locked(
    tmp_path: Path, large: int
) -> None:
    file, beside = parquet_lock(tmp_path)

    found = read(file, large=large, parquet=beside)

    assert len(file.read_text().splitlines()) == 2
    assert dict(found.membership) == ROWS
    assert found.membership.digest() == digest_rows(ROWS.items())
    assert told(found.groups) == GROUPS


def test_the_same_rows_are_the_same_parquet_file(tmp_path: Path) -> None:
    header = header_of()

    first, second = (
        write_parquet(row_fields(header, ROWS, GROUPS), tmp_path / name)
        for name in ("a.parquet", "b.parquet")
    )

    assert first == second


def test_another_parquet_file_is_refused(tmp_path: Path) -> None:
    file, beside = parquet_lock(tmp_path)
    write_parquet([("night-1", "TEST", "")], beside)

    with pytest.raises(LockError, match=r"a\.parquet isn't the file that it names"):
        read(file, large=PLAIN, parquet=beside)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([("a", "TEST", "")], "says rows 3"),
        ([("b", "TEST", ""), ("a", "TEST", "")], "sorted"),
        ([("a", "TEST", ""), ("a", "TEST", "")], "sorted"),
        ([("a", "TSET", "")], "no split that there is"),
        ([("a\nb", "TEST", "")], "can't be rows of a lock"),
    ],
)
def test_a_parquet_file_that_its_digest_fits_is_checked_all_the_same(
    tmp_path: Path, rows: list[tuple[str, str, str]], why: str
) -> None:
    file, beside = parquet_lock(tmp_path)
    digest = write_parquet(rows, beside)
    header = in_parquet(header_of(), digest)
    file.write_text("".join(rows_lines(header, {}, None)))

    with pytest.raises(LockError, match=why):
        read(file, large=PLAIN, parquet=beside)


keys = st.text(min_size=1, max_size=8).filter(
    lambda key: check_name(key, RowIdentity.GLOBAL_KEY) is None
)
groups = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=4)


@given(
    rows=st.dictionaries(keys, st.tuples(st.sampled_from(Split), groups), min_size=1)
)
def test_whatever_is_locked_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, tuple[Split, str]]
) -> None:
    file = tmp_path_factory.mktemp("lock") / "a.lock"
    splits = {key: split for key, (split, _) in rows.items()}
    grouped = {key: group for key, (_, group) in rows.items() if group}
    write_text(file, splits, grouped)

    for large in (PLAIN, LARGE):
        found = read(file, large=large)

        assert dict(found.membership) == splits
        assert told(found.groups) == grouped


# --- Labels

LABELS = {
    "n2": PinnedLabel(
        "n2", ContentHash("sha256:" + "b" * 64), None, "2026-01-31T00:00Z"
    ),
    "n1": PinnedLabel("n1", ContentHash("sha256:" + "a" * 64), RemoteId("label-1")),
}


def label_lock(file: Path) -> Path:
    header = labels_header(
        project=project_address("truth"),
        endpoint="local",
        organisation=RemoteId("org"),
        labels=LABELS,
    )
    file.write_text("".join(labels_lines(header, LABELS)))
    return file


def read_pins(file: Path) -> dict[str, PinnedLabel]:
    header = read_header(file)
    assert isinstance(header, LabelsHeader)
    return read_labels(file, header)


def test_labels_are_read_as_they_were_locked(tmp_path: Path) -> None:
    file = label_lock(tmp_path / "a.lock")

    assert read_pins(file) == LABELS
    assert file.read_text().splitlines()[2:] == [
        f"n1\t{'a' * 64}\tlabel-1\t",
        f"n2\t{'b' * 64}\t\t2026-01-31T00:00Z",
    ]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("aaaa\t", "aaab\t", "says labels"),
        ("n1\t", "n0\t", "says members"),
        ("label-1", "label-2", "says lines"),
        ("label-1", "", "says lines"),
        ("2026-01-31", "2026-01-30", "says lines"),
        ("aaaa\t", "aaaz\t", "is no hash"),
        ("aaaa\t", "aaa\t", "is no hash"),
    ],
)
def test_an_edited_lock_of_labels_is_refused(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    file = label_lock(tmp_path / "a.lock")
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))

    with pytest.raises(LockError, match=why):
        read_pins(file)


def test_a_lock_of_labels_with_line_ends_of_windows_is_the_same(tmp_path: Path) -> None:
    file = label_lock(tmp_path / "a.lock")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))

    assert read_pins(file) == LABELS


def test_a_line_end_of_windows_may_stand_where_reading_is_cut(tmp_path: Path) -> None:
    content = ContentHash("sha256:" + "c" * 64)
    long = RemoteId("x" * ((1 << 20) - 69))  # so that a block ends with its CR
    labels = {"a": PinnedLabel("a", content, long), "b": PinnedLabel("b", content)}
    header = labels_header(
        project=None, endpoint="local", organisation=RemoteId("org"), labels=labels
    )
    text = "".join(labels_lines(header, labels)).replace("\n", "\r\n")
    assert text.partition("\r\n")[2].partition("\r\n")[2][(1 << 20) - 1] == "\r"
    file = tmp_path / "a.lock"
    file.write_bytes(text.encode())

    assert read_pins(file) == labels


@READERS
def test_text_below_the_header_of_a_lock_beside_its_rows_is_refused(
    tmp_path: Path, large: int
) -> None:
    file, beside = parquet_lock(tmp_path)
    file.write_text(file.read_text() + "night-9\tTEST\t\n")

    with pytest.raises(LockError, match="says lines"):
        read(file, large=large, parquet=beside)


@pytest.mark.parametrize(
    ("wanted", "written", "same"),
    [
        ({"equals": [1.0]}, {"equals": [1]}, True),
        ({"equals": [True]}, {"equals": [1]}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        (None, {}, False),
    ],
)
def test_a_header_is_compared_as_json(
    wanted: JsonValue, written: JsonValue, same: bool
) -> None:
    assert says(written, wanted) is same
