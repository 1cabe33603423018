"""Files to lines, and the places of values in them."""

from pathlib import Path

import pytest

from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows.lines import broken_line, line_problem, read_lines
from reconciler.rows.places import JsonPath, path_place
from reconciler.rows.problems import Problems
from reconciler.rows.read import Origin
from reconciler.rows.spec import RowFormat

MENTION = Span("data.yaml", 4, 9)
ORIGIN = Origin("rows/some", RowFormat.NDJSON, MENTION)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some"


def read(
    file: Path, *, longest: int = 100
) -> tuple[list[tuple[int, bytes]], list[Diagnostic]]:
    problems = Problems()
    lines = list(read_lines(str(file), ORIGIN, problems, longest=longest))
    return lines, list(problems)


def test_lines_end_at_line_feeds_and_nowhere_else(file: Path) -> None:
    file.write_bytes('{"a": "x\u2028y\x85"}\r\n\x0b{}\rz\x1c'.encode())

    lines, problems = read(file)

    assert problems == []
    assert lines == [
        (1, '{"a": "x\u2028y\x85"}\r'.encode()),
        (2, b"\x0b{}\rz\x1c"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_line(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n")

    assert read(file)[0] == [(1, b"{}"), (2, b"\xef\xbb\xbf{}")]


def test_blank_lines_count_only_where_another_comes_after_them(file: Path) -> None:
    file.write_bytes(b"\n{}\n \t\r\n\n[]\n\n \n")

    assert read(file) == ([(1, b""), (2, b"{}"), (3, b""), (4, b""), (5, b"[]")], [])


def test_a_line_longer_than_is_read_at_once_is_whole(file: Path) -> None:
    long = b"x" * 3_000_000
    file.write_bytes(b"a\n" + long + b"\nb\n" + long)

    lines, problems = read(file, longest=3_000_000)

    assert problems == []
    assert lines == [(1, b"a"), (2, long), (3, b"b"), (4, long)]


def test_a_line_that_is_too_long_is_said_and_left_out(file: Path) -> None:
    file.write_bytes(b"a\n" + b"x" * 3_000_000 + b"\n" + b"y" * 101 + b"\nb\n")

    lines, problems = read(file)

    assert lines == [(1, b"a"), (4, b"b")]
    assert [str(one) for one in problems] == [
        "rows/some:2:1: the line has more than 100 bytes [row-invalid]",
        "rows/some:3:1: the line has more than 100 bytes [row-invalid]",
    ]


def test_a_last_line_that_is_too_long_is_said(file: Path) -> None:
    file.write_bytes(b"a\n" + b"x" * 2_000_000)

    assert [str(one) for one in read(file)[1]] == [
        "rows/some:2:1: the line has more than 100 bytes [row-invalid]"
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "rows/some:1:1: rows/some is empty [empty-file]"),
        (b"\xef\xbb\xbf", "rows/some:1:1: rows/some has no rows [empty-file]"),
        (b"\n \r\n", "rows/some:1:1: rows/some has no rows [empty-file]"),
    ],
    ids=["nothing", "a byte order mark", "blank lines"],
)
def test_a_file_without_lines_is_a_problem(
    file: Path, content: bytes, said: str
) -> None:
    file.write_bytes(content)

    lines, [problem] = read(file)

    assert lines == []
    assert str(problem) == said
    assert problem.related == ((MENTION, "named here"),)


def test_a_file_that_is_not_there_is_said_where_it_is_named(file: Path) -> None:
    [problem] = read(file)[1]

    assert str(problem) == (
        "data.yaml:4:9: rows/some can't be opened: no such file or directory "
        "[file-missing]"
    )


TEXT = ' {"a": {"é\\n": [1, {"b": "x"}]}, "two": [{"c": 2}], "one": {"c": 3}, "a2": 1}'


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), TEXT[1:]),
        (("a",), '{"é\\n": [1, {"b": "x"}]}'),
        (("a", "é\n", 1, "b"), '"x"'),
        (("a", "é\n", 5), '[1, {"b": "x"}]'),
        (("a", "nothing", "b"), '{"é\\n": [1, {"b": "x"}]}'),
        (("nothing",), TEXT[1:]),
        (("two", "c"), "2"),
        (("one", 0, "c"), "3"),
        (("one", 1, "c"), '{"c": 3}'),
        (("aa",), "1"),
        (("a2", "deeper"), "1"),
    ],
)
def test_a_place_is_as_near_to_the_value_as_the_text_has_it(
    path: JsonPath, place: str
) -> None:
    found = path_place("f", 7, TEXT, path, {"aa": ("aa", "a2")})

    assert (found.line, found.end_line) == (7, 7)
    assert TEXT[found.column - 1 : found.end_column - 1] == place


def test_of_a_repeated_field_the_last_is_meant() -> None:
    assert path_place("f", 1, '{"a":1,"a":2}', ("a",), {}) == Span("f", 1, 12, 1, 13)


@pytest.mark.parametrize("text", ["", " ", "{", '{"a" 1}', "nonsense", "[" * 100_000])
def test_what_is_no_json_is_blamed_as_a_whole(text: str) -> None:
    found = path_place("f", 1, text, ("a", "b"), {})

    assert found.end_column == len(text.rstrip()) + 1


def test_a_problem_shows_its_line_and_points_to_the_value() -> None:
    problem = line_problem(ORIGIN, 3, b' {"a": 1}\r', "row-invalid", "no", path=("a",))

    assert problem.span == Span("rows/some", 3, 8, 3, 9)
    assert problem.excerpt == ' {"a": 1}'
    assert problem.related == ((MENTION, "named here"),)


@pytest.mark.parametrize(
    ("line", "said", "column"),
    [
        (' {"é": x}', "invalid character (byte 7)", 8),
        (' {"a":', "input data was truncated", 7),
        ("what", "nobody knows", 1),
    ],
)
def test_a_broken_line_is_shown_where_it_breaks(
    line: str, said: str, column: int
) -> None:
    problem = broken_line(ORIGIN, 1, line.encode(), "row-invalid", said)

    assert problem.span == Span("rows/some", 1, column, 1, column + 1)
    assert (problem.message, problem.excerpt) == (said, line)


def test_a_broken_line_may_not_even_be_text() -> None:
    problem = broken_line(ORIGIN, 2, b'{"\xc3\xa9": "\xe9"}', "row-invalid", "no JSON")

    assert str(problem) == (
        "rows/some:2:8: rows/some is not UTF-8 text: byte 0xe9 [not-utf8]"
    )
