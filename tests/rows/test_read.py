"""Row files to records, and what is wrong with them."""

import sys
from pathlib import Path

import duckdb
import pytest

from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows.problems import Problems
from reconciler.rows.read import Record, read_records
from reconciler.rows.spec import RowFormat

MENTION = Span("data.yaml", 4, 9)


def read(
    path: Path, row_format: RowFormat = RowFormat.CSV
) -> tuple[list[Record], list[Diagnostic]]:
    problems = Problems()
    records = list(
        read_records(path, "rows/some", row_format, problems, mention=MENTION)
    )
    return records, list(problems)


def said(problems: list[Diagnostic]) -> list[str]:
    return [str(problem) for problem in problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some"


def test_a_csv_row_is_known_by_its_columns_and_its_line(file: Path) -> None:
    file.write_bytes(
        b'\xef\xbb\xbfkey,split\r\na,TEST\r\n\r\n"x\ny",\r\n" ""q"" ",1\r\n'
    )

    records, problems = read(file)

    assert problems == []
    assert [(record.line, record.values) for record in records] == [
        (2, {"key": "a", "split": "TEST"}),
        (4, {"key": "x\ny", "split": ""}),
        (6, {"key": ' "q" ', "split": "1"}),
    ]


def test_a_csv_value_is_found_behind_quotes_and_line_ends(file: Path) -> None:
    file.write_bytes(b'key,split,z\n"x,\n""y",  b,\nc"d,"",e\n')

    (first, second), _ = read(file)

    assert first.span("key") == Span("rows/some", 2, 1, 3, 5)
    assert first.span("split") == Span("rows/some", 3, 6, 3, 9)
    assert first.span("z") == Span("rows/some", 3, 10, 3, 10)
    assert second.span("key") == Span("rows/some", 4, 1, 4, 4)
    assert second.span("split") == Span("rows/some", 4, 5, 4, 7)
    assert second.span("z") == Span("rows/some", 4, 8, 4, 9)
    assert second.span("nothing") == Span("rows/some", 4, 1, 4, 9)


def test_a_problem_shows_the_line_of_the_value_and_where_the_file_is_named(
    file: Path,
) -> None:
    file.write_bytes(b'key,split\n"x\ny",TRAIN\n')
    (record,), _ = read(file)

    problem = record.problem("unknown-split", "no split", column="split")

    assert problem.span == Span("rows/some", 3, 4, 3, 9)
    assert problem.excerpt == 'y",TRAIN'
    assert problem.related == ((MENTION, "named here"),)


def test_a_long_line_is_cut_behind_the_place(file: Path) -> None:
    file.write_bytes(b"key,split\n" + b"a" * 300 + b",b\n")
    (record,), _ = read(file)

    at_key = record.problem("row-invalid", "", column="key").excerpt
    at_split = record.problem("row-invalid", "", column="split").excerpt

    assert at_key == "a" * 159 + "…"
    assert at_split is None


def test_every_bad_csv_row_is_said_and_the_others_are_given(file: Path) -> None:
    file.write_bytes(b'a,b\n1\n2,"x"y\n3,4\n5,6,7\n8,"open\n')

    records, problems = read(file)

    assert [record.values["a"] for record in records] == ["3"]
    assert said(problems) == [
        "rows/some:2:1: 2 fields expected, as in the header, not 1 [row-invalid]",
        "rows/some:3:1: ',' expected after '\"' [row-invalid]",
        "rows/some:5:1: 2 fields expected, as in the header, not 3 [row-invalid]",
        "rows/some:6:1: unexpected end of data [row-invalid]",
    ]


def test_a_header_that_repeats_a_column_is_refused(file: Path) -> None:
    file.write_bytes(b"a,b,a\n1,2,3\n")

    assert said(read(file)[1]) == ["rows/some:1:1: repeated columns: 'a' [row-invalid]"]


def test_ndjson_is_one_object_a_line(file: Path) -> None:
    file.write_bytes(
        b'\xef\xbb\xbf{"k": "a", "n": [1, {"x": 2}]}\n\n {"k":"\\u00e9"}\r\n'
    )

    records, problems = read(file, RowFormat.NDJSON)

    assert problems == []
    assert [(record.line, record.values) for record in records] == [
        (1, {"k": "a", "n": [1, {"x": 2}]}),
        (3, {"k": "é"}),
    ]


def test_a_json_value_is_found_where_it_stands(file: Path) -> None:
    file.write_bytes(b' { "k\\"" : [1, "k"] , "k" :\t"\xc3\xa4" }\n')
    (record,), _ = read(file, RowFormat.NDJSON)

    assert record.span("k") == Span("rows/some", 1, 29, 1, 32)
    assert record.span('k"') == Span("rows/some", 1, 12, 1, 20)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"k" 1}', "1:6: no JSON: expecting ':' delimiter"),
        ("[1]", "1:1: no JSON object"),
        ('"k"', "1:1: no JSON object"),
        ('{"k": NaN}', "1:1: no JSON that can be read: NaN is no JSON number"),
        (
            '{"k": 1, "k": 2}',
            "1:1: no JSON that can be read: the field 'k' stands twice",
        ),
        ("[" * 100_000, "1:1: no JSON that can be read: nested too deeply"),
        (
            f'{{"k": {"[" * 64}{"]" * 64}}}',
            "1:1: no JSON that can be read: nested too deeply",
        ),
    ],
    ids=["syntax", "list", "text", "nan", "twice", "deep", "deeper than a manifest"],
)
def test_a_line_that_is_no_object_is_said(file: Path, line: str, message: str) -> None:
    file.write_text(f'{line}\n{{"k": 1}}\n')

    records, problems = read(file, RowFormat.NDJSON)

    assert len(records) == 1
    (problem,) = problems
    if sys.version_info < (3, 13):
        message = message.replace(
            "1:11: no JSON: illegal trailing comma before end of object",
            "1:11: no JSON: expecting property name enclosed in double quotes",
        )
    assert str(problem) == f"rows/some:{message} [row-invalid]"


def test_a_line_may_be_as_deep_as_a_manifest_and_hold_any_brackets(file: Path) -> None:
    deep = f'{{"k": {"[" * 63}"{"[{" * 100}"{"]" * 63}}}'
    file.write_text(f"{deep}\n")

    records, problems = read(file, RowFormat.NDJSON)

    assert len(records) == 1
    assert problems == []


@pytest.mark.parametrize(
    ("row_format", "line"),
    [
        (RowFormat.CSV, ",".join(map(str, range(200_000))) + ",1"),
        (
            RowFormat.NDJSON,
            "{" + ", ".join(f'"{n}": 0' for n in range(200_000)) + ', "199999": 0}',
        ),
    ],
)
def test_a_repeated_name_among_many_is_found_at_once(
    file: Path, row_format: RowFormat, line: str
) -> None:
    file.write_text(f"{line}\n")

    (problem,) = read(file, row_format)[1]

    assert problem.code == "row-invalid"


def test_a_parquet_name_that_can_only_be_a_pattern_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    path = tmp_path / "a\\*.parquet"
    for name in ("rows.parquet", "a/*.parquet"):
        duckdb.connect().execute(
            f"COPY (SELECT 'other' AS key) TO '{tmp_path / name}' (FORMAT parquet)"
        )
    (tmp_path / "rows.parquet").rename(path)

    records, (problem,) = read(path, RowFormat.PARQUET)

    assert records == []
    assert problem.code == "file-format"


def test_a_text_file_is_one_name_a_line_without_the_blank_ones_around(
    file: Path,
) -> None:
    file.write_bytes(b"\xef\xbb\xbf\n \na\r\n b \n\nc\n \n\n")

    records, problems = read(file, RowFormat.TEXT)

    assert problems == []
    assert [(record.line, record.values) for record in records] == [
        (3, {"name": "a"}),
        (4, {"name": " b "}),
        (5, {"name": ""}),
        (6, {"name": "c"}),
    ]


def test_parquet_rows_are_known_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "odd [1]*.parquet"
    duckdb.connect().execute(
        "COPY (SELECT * FROM (VALUES ('a', 1), (NULL, 2)) AS t(key, n))"
        f" TO '{path}' (FORMAT parquet)"
    )

    records, problems = read(path, RowFormat.PARQUET)

    assert problems == []
    assert [(record.line, record.values) for record in records] == [
        (1, {"key": "a", "n": 1}),
        (2, {"key": None, "n": 2}),
    ]
    assert records[1].span("n") == Span("rows/some", 2, 1, 2, 1)


def test_what_is_no_parquet_is_said(file: Path) -> None:
    file.write_bytes(b"key\na\n")

    (problem,) = read(file, RowFormat.PARQUET)[1]

    assert problem.code == "file-format"
    assert problem.message.startswith("rows/some is no Parquet file: ")


@pytest.mark.parametrize("row_format", RowFormat)
def test_a_missing_file_is_said_where_the_manifest_names_it(
    file: Path, row_format: RowFormat
) -> None:
    records, problems = read(file, row_format)

    assert records == []
    assert said(problems) == [
        "data.yaml:4:9: rows/some can't be opened: no such file or directory"
        " [file-missing]"
    ]


@pytest.mark.parametrize(
    ("row_format", "content", "message"),
    [
        (RowFormat.CSV, "", "is empty"),
        (RowFormat.CSV, "key,split\n\n", "has no rows"),
        (RowFormat.NDJSON, "\n", "has no rows"),
        (RowFormat.TEXT, " \n\n", "has no rows"),
    ],
)
def test_a_file_without_rows_is_a_problem(
    file: Path, row_format: RowFormat, content: str, message: str
) -> None:
    file.write_text(content)

    assert said(read(file, row_format)[1]) == [
        f"rows/some:1:1: rows/some {message} [empty-file]"
    ]


def test_reading_stops_where_the_text_is_not_utf8(file: Path) -> None:
    file.write_bytes(b'key,split\na,\xc3\xa4\nb,"\xc3\xa4\xff\n"\nc,d\n')

    records, problems = read(file)

    assert [record.values["key"] for record in records] == ["a"]
    assert said(problems) == [
        "rows/some:3:5: rows/some is not UTF-8 text: byte 0xff [not-utf8]"
    ]


def test_ten_problems_of_a_kind_are_said_and_the_rest_counted(file: Path) -> None:
    file.write_bytes(b"a,b\n" + b"1\n" * 1_012)

    _, problems = read(file)

    assert len(problems) == 11
    assert str(problems[-1]) == (
        "rows/some:12:1: the same is wrong in 1,002 more places of rows/some"
        " [row-invalid]"
    )
