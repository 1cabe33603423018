"""How a membership is described, to its rows or to what is wrong with it."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from reconciler.diagnostics import InputError, Span
from reconciler.rows.bulk import load_bulk
from reconciler.rows.large import LargeMembership
from reconciler.rows.membership import load_membership
from reconciler.rows.plain import PlainMembership
from reconciler.rows.spec import (
    InlineRows,
    MembershipSpec,
    RowFile,
    RowFormat,
    RowSource,
    SplitByColumn,
    SplitByHash,
    SplitByLists,
    SplitByPositions,
    SplitRule,
)
from reconciler.state.resources import RowIdentity, Split

ROWS = Span("runs.yaml", 3, 1)
FILE = Span("runs.yaml", 4, 5)
COLUMN = Span("runs.yaml", 5, 5)
RULE = Span("runs.yaml", 9, 1)

T, V, E, U = Split

Write = Callable[..., RowFile]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "rows.csv", column: str | None = "key") -> RowFile:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        ending = RowFormat(name.rpartition(".")[2])
        if ending is RowFormat.TEXT:
            column = None
        return RowFile(path, name, ending, column, FILE, COLUMN)

    return write


def inline(*names: str, line: int = 20) -> InlineRows:
    spans = [Span("runs.yaml", line + n, 3) for n in range(len(names))]
    return InlineRows(names, spans)


def spec(
    *sources: RowSource,
    splits: SplitRule | None = None,
    by: RowIdentity = RowIdentity.GLOBAL_KEY,
) -> MembershipSpec:
    return MembershipSpec(by, sources, splits, ROWS)


def by_column(name: str = "split") -> SplitByColumn:
    return SplitByColumn(name, RULE)


def by_hash(group: str | None = None, salt: str = "") -> SplitByHash:
    return SplitByHash({T: Decimal(50), E: Decimal(50)}, salt, group, RULE)


def rows(described: MembershipSpec) -> dict[str, Split]:
    """Read by both readers, which must agree."""
    plain = load_membership(described)
    large = load_membership(described, large=0)
    assert isinstance(plain, PlainMembership)
    if len(plain):
        assert isinstance(large, LargeMembership)
        assert dict(large) == dict(plain)
        assert large.digest() == plain.digest()
    return dict(plain)


def problems(described: MembershipSpec) -> Sequence[str]:
    with pytest.raises(InputError) as caught:
        load_membership(described)
    return [
        f"{found} ({found.hint})" if found.hint else str(found)
        for found in caught.value.diagnostics
    ]


def test_rows_stand_in_the_manifest() -> None:
    loaded = load_membership(spec(inline("b", "a")))

    assert rows(spec(inline("b", "a"))) == {"b": U, "a": U}
    assert loaded.assigns_splits is False
    assert loaded.counts() == {U: 2}


def test_no_sources_are_a_run_without_rows() -> None:
    assert rows(spec()) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows.csv", "z,split,key\n1,TEST,a\n2,,b\n3,UNASSIGNED,c d\n"),
        (
            "rows.ndjson",
            '{"key": "a", "split": "TEST"}\n{"key": "b", "split": null}\n'
            '{"split": "UNASSIGNED", "key": "c d"}\n',
        ),
    ],
)
def test_splits_stand_in_a_column(write: Write, name: str, text: str) -> None:
    described = spec(write(text, name), splits=by_column())

    assert rows(described) == {"a": E, "b": U, "c d": U}


def test_parquet_is_read_as_other_files_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    duckdb.connect().execute(
        "COPY (SELECT * FROM (VALUES ('a', 'TEST', 1), ('b', NULL, 2)) AS t(k, s, n))"
        f" TO '{path}' (FORMAT parquet)"
    )
    file = RowFile(path, "rows.parquet", RowFormat.PARQUET, "k", FILE, COLUMN)
    numbers = RowFile(path, "rows.parquet", RowFormat.PARQUET, "n", FILE, COLUMN)

    assert rows(spec(file, splits=by_column("s"))) == {"a": E, "b": U}
    assert problems(spec(numbers)) == [
        "rows.parquet:1:1: 'n' is the number 1, not a text [row-invalid] (write \"1\")",
        "rows.parquet:2:1: 'n' is the number 2, not a text [row-invalid] (write \"2\")",
    ]


def test_a_path_gives_no_columns_to_the_rows_of_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "c0=x" / "key=y" / "split=TEST"
    folder.mkdir(parents=True)
    text, parquet = folder / "rows.csv", folder / "rows.parquet"
    text.write_text("key,split\na,TRAINING\n")
    duckdb.connect().execute(
        f"COPY (SELECT 'a' AS key, 'TRAINING' AS split) TO '{parquet}' (FORMAT parquet)"
    )

    for path in (text, parquet):
        form = RowFormat(path.suffix[1:])
        file = RowFile(path, path.name, form, "key", FILE, COLUMN)
        assert load_bulk(spec(file, splits=by_column())) is not None
        assert rows(spec(file, splits=by_column())) == {"a": T}


@pytest.mark.parametrize(
    "name", ["a*b", "a?b", "[!a]", "{a,b}", "a,b", "it's", 'a"b', "a\\b", "a\\*b", "~"]
)
def test_the_name_of_a_file_is_no_pattern(name: str, tmp_path: Path) -> None:
    # What the pattern would find, were it one, also with `\` for `/`.
    (tmp_path / "a").mkdir()
    for other in ("axb", "b", "a", "a/*b", "a/xb"):
        (tmp_path / f"{other}.csv").write_text("key\nother\n")
    path = tmp_path / f"{name}.csv"
    path.write_text("key\nown\n")
    file = RowFile(path, path.name, RowFormat.CSV, "key", FILE, COLUMN)

    assert list(rows(spec(file))) == ["own"]


def test_sources_are_read_one_after_another(write: Write) -> None:
    described = spec(write("key\na\n"), inline("b"), write("c\nd\n", "more.txt"))

    assert list(rows(described)) == ["a", "b", "c", "d"]


def test_a_hash_splits_by_key_or_by_group(write: Write) -> None:
    file = write("key,patient\na,p1\nb,p1\nc,p2\nd,p3\n")

    # The hashes begin with 73 5e a4 ed for a b c d, ad f4 21 for p1 p2 p3, and
    # 00 cd a9 29 for salted a b c d; TRAINING ends before 80.
    assert rows(spec(file, splits=by_hash())) == {"a": T, "b": T, "c": E, "d": E}
    assert rows(spec(file, splits=by_hash("patient"))) == {
        "a": E,
        "b": E,
        "c": E,
        "d": T,
    }
    assert rows(spec(file, splits=by_hash(salt="s"))) == {
        "a": T,
        "b": E,
        "c": E,
        "d": T,
    }


def test_positions_split_a_file_in_its_order(write: Write) -> None:
    rule = SplitByPositions({E: (3, 9), T: (None, 2)}, {E: RULE, T: RULE})
    file = write("e\nd\nc\nb\na\n", "rows.txt")

    assert rows(spec(file, splits=rule)) == {"e": T, "d": T, "c": U, "b": E, "a": E}


def test_lists_split_members_and_leave_the_rest_unassigned(write: Write) -> None:
    rule = SplitByLists({T: (write("a\nb\n", "t.txt"),), E: (inline("c"),)}, RULE)

    described = spec(write("key\nd\nc\nb\na\n"), splits=rule)

    assert rows(described) == {"d": U, "c": E, "b": T, "a": T}


@pytest.mark.parametrize(
    "text",
    ["key,split\na,TEST\nb,\n", "key,split\r\na,TEST\r\nb,", "\ufeffkey,split\na,\n"],
    ids=["plain", "windows", "mark"],
)
def test_simple_files_never_pass_through_python(write: Write, text: str) -> None:
    assert load_bulk(spec(write(text), splits=by_column())) is not None


@pytest.mark.parametrize(
    "content",
    [
        b'key,split\n"a",TEST\n',
        b'key,split\na"b,TEST\n',
        b"key,split\na\x00,TEST\n",
        b"key,split\na,TEST\n\nb,TEST\n",
        b"key,split\na,TEST\r\nb,TEST\n",
        b"key,split\na,TEST\rb,TEST\n",
        b"key,split,\xff\na,TEST,\n",
        b"key,split,z\na,TEST,\xff\n",
        b"key,split,z\na,TEST,\xc3",
        b"key,split,split\na,TEST,TEST\n",
        b"key,split\na,TEST\nb\n",
        b"key,split\na,TEST\nb,,\n",
        b"key,split\na,TEST\na,TEST\n",
        b"key,split\na,Test\n",
        b"key,split\n,TEST\n",
        b"key,split\n a,TEST\n",
        "key,split\na\u3000,TEST\n".encode(),
        b"key,split\n" + b"a" * 201 + b",TEST\n",
        b"kee,split\na,TEST\n",
        b"key,split\n",
        b"",
    ],
)
def test_whatever_may_be_wrong_is_left_to_the_plain_reader(
    write: Write, content: bytes
) -> None:
    file = write("")
    file.path.write_bytes(content)

    assert load_bulk(spec(file, splits=by_column())) is None


def test_rules_that_may_be_wrong_are_left_to_the_plain_reader(write: Write) -> None:
    file = write("key,patient\na,\nb,p1\n")
    weights = SplitByHash({T: Decimal(50)}, "", None, RULE)
    nothing = SplitByPositions({T: (5, None)}, {T: RULE})
    stranger = SplitByLists({T: (inline("x"),)}, RULE)
    both = SplitByLists({T: (inline("a"),), E: (inline("a"),)}, RULE)

    assert load_bulk(spec(file, splits=by_hash("patient"))) is None
    assert load_bulk(spec(file, splits=weights)) is None
    assert load_bulk(spec(file, splits=nothing)) is None
    assert load_bulk(spec(file, splits=stranger)) is None
    assert load_bulk(spec(file, splits=both)) is None
    assert load_bulk(spec(file, inline("b"))) is None
    assert load_bulk(spec(file)) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "key,split\na,TEST\n\nb,TRAINING\na,TEST\nb,TEST\n",
            [
                "rows.csv:5:1: 'a' is named twice [row-twice]",
                "rows.csv:6:1: 'b' is put into TRAINING and TEST [row-in-two-splits]",
            ],
        ),
        (
            "key,split\na,test\nb,TRAIN\nc,xyz\n",
            [
                "rows.csv:2:3: 'test' is no split [unknown-split]"
                " (did you mean 'TEST'?)",
                "rows.csv:3:3: 'TRAIN' is no split [unknown-split]"
                " (did you mean 'TRAINING'?)",
                "rows.csv:4:3: 'xyz' is no split [unknown-split]"
                " (use TRAINING, VALIDATION, TEST, UNASSIGNED,"
                " or nothing for UNASSIGNED)",
            ],
        ),
        (
            "kee,split,name\na,TEST,b\n",
            [
                "runs.yaml:5:5: rows.csv has no column 'key';"
                " it has 'kee', 'split', 'name' [wrong-column] (did you mean 'kee'?)"
            ],
        ),
        (
            "key,split\n,TEST\n a,\nb  c,\n" + "x" * 201 + ",\nt\ta,\n",
            [
                "rows.csv:2:1: the global key is empty [key-length]",
                "rows.csv:3:1: the global key ' a' has leading, trailing or doubled"
                " white space [key-spaces]",
                "rows.csv:4:1: the global key 'b  c' has leading, trailing or doubled"
                " white space [key-spaces]",
                "rows.csv:5:1: the global key has 201 characters; 200 are allowed"
                " [key-length]",
                "rows.csv:6:1: the global key 't\\ta' holds the control character"
                " U+0009 [row-invalid]",
            ],
        ),
        ("key,split\n", ["rows.csv:1:1: rows.csv has no rows [empty-file]"]),
    ],
    ids=["twice", "splits", "column", "keys", "empty"],
)
def test_what_is_wrong_with_a_file_is_said_at_its_line(
    write: Write, text: str, expected: list[str]
) -> None:
    assert problems(spec(write(text), splits=by_column())) == expected


def test_both_places_of_a_repeated_row_are_named(write: Write) -> None:
    file = write("z,key\n1,a\n2,b\n3,a\n")

    with pytest.raises(InputError) as caught:
        load_membership(spec(inline("c", line=30), file, inline("b")))

    in_file, in_manifest = caught.value.diagnostics
    assert in_file.related == (
        (Span("rows.csv", 2, 3, 2, 4), "first named here"),
        (FILE, "named here"),
    )
    assert in_file.excerpt == "3,a"
    assert in_manifest.span == Span("runs.yaml", 20, 3)
    assert in_manifest.related == ((Span("rows.csv", 3, 3, 3, 4), "first named here"),)


def test_ids_need_only_not_be_blank(write: Write) -> None:
    fine = spec(write("key\na  b \n"), by=RowIdentity.DATA_ROW_ID)
    blank = spec(write("a\n \nb\n", "rows.txt"), by=RowIdentity.DATA_ROW_ID)

    assert list(rows(fine)) == ["a  b "]
    assert problems(blank) == ["rows.txt:2:1: the data row id is empty [row-invalid]"]


def test_a_name_in_json_is_a_text(write: Write) -> None:
    file = write('{"key": "a"}\n{"key": 12}\n{"key": true}\n{}\n', "rows.ndjson")

    assert problems(spec(file)) == [
        "rows.ndjson:2:9: 'key' is the number 12, not a text [row-invalid]"
        ' (write "12")',
        "rows.ndjson:3:9: 'key' is true, not a text [row-invalid]",
        "rows.ndjson:4:1: the field 'key' is missing [row-invalid]",
    ]


def test_only_files_with_columns_have_a_split_column(write: Write) -> None:
    described = spec(inline("a"), write("b\n", "b.txt"), splits=by_column())

    assert problems(described) == [
        "runs.yaml:9:1: rows written in the manifest have no column 'split'"
        " [wrong-column]",
        "runs.yaml:9:1: b.txt is a text file, which has no column 'split'"
        " [wrong-column]",
    ]


def test_lists_name_members_once(write: Write) -> None:
    rule = SplitByLists(
        {T: (inline("a", "a", "x", line=40),), E: (inline("a", line=50),), V: ()}, RULE
    )

    assert problems(spec(write("key\na\nb\n"), splits=rule)) == [
        "runs.yaml:9:1: the list of VALIDATION names no rows [selects-nothing]",
        "runs.yaml:41:3: 'a' is named twice [row-twice]",
        "runs.yaml:42:3: 'x' is in TRAINING, but is none of the rows [row-not-member]",
        "runs.yaml:50:3: 'a' is put into TRAINING and TEST [row-in-two-splits]",
    ]


def test_no_row_is_called_a_stranger_when_the_members_are_not_all_known(
    write: Write,
) -> None:
    rule = SplitByLists({T: (inline("a"),)}, RULE)

    assert problems(spec(write("key,z\na\nb,1\n"), splits=rule)) == [
        "rows.csv:2:1: 2 fields expected, as in the header, not 1 [row-invalid]"
    ]


def test_a_group_is_never_empty(write: Write) -> None:
    file = write("key,patient\na,p1\nb,\n")

    assert problems(spec(file, splits=by_hash("patient"))) == [
        "rows.csv:3:3: the group 'patient' of 'b' is empty [split-group]"
    ]


def test_wrong_weights_do_not_hide_wrong_rows(write: Write) -> None:
    rule = SplitByHash({T: Decimal(50)}, "", None, RULE)

    assert problems(spec(write("key\na\na\n"), splits=rule)) == [
        "rows.csv:3:1: 'a' is named twice [row-twice]",
        "runs.yaml:9:1: the weights sum to 50, not to 100 [split-weights]",
    ]


def test_positions_need_one_source() -> None:
    rule = SplitByPositions({T: (0, 1)}, {T: RULE})

    assert problems(spec(inline("a"), inline("b"), splits=rule)) == [
        "runs.yaml:9:1: positions need one list or file of rows; there are 2"
        " [split-position]"
    ]


def test_an_empty_list_is_not_an_empty_run() -> None:
    assert problems(spec(inline())) == [
        "runs.yaml:3:1: the list names no rows [selects-nothing]"
    ]


def test_of_many_repeated_rows_ten_are_named(write: Write) -> None:
    file = write("key\n" + "".join(f"k{n % 1000}\n" for n in range(2_000)))

    found = problems(spec(file))

    assert len(found) == 11
    assert found[9] == "rows.csv:1011:1: 'k9' is named twice [row-twice]"
    assert found[10] == (
        "rows.csv:1012:1: the same is wrong in 990 more places of rows.csv [row-twice]"
    )
