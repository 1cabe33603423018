import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnostics import Span
from reconciler.manifest.document import Document, Source
from reconciler.manifest.scalars import NumberError, read_plain
from reconciler.manifest.source import decode, parse


def _document(text: str) -> Document:
    parsed = parse(Source("a.yaml", text))
    assert parsed.diagnostics == ()
    (document,) = parsed.documents
    return document


def _codes(text: str) -> list[str]:
    return [found.code for found in parse(Source("a.yaml", text)).diagnostics]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nULL", "nULL"),
        ("true", True),
        ("False", False),
        ("TRUE", True),
        ("tRUE", "tRUE"),
        ("yes", "yes"),
        ("no", "no"),
        ("off", "off"),
        ("y", "y"),
        ("12", 12),
        ("+12", 12),
        ("-12", -12),
        ("012", 12),
        ("-0", 0),
        ("0o17", 15),
        ("0o18", "0o18"),
        ("-0o17", "-0o17"),
        ("0x1f", 31),
        ("0X1F", "0X1F"),
        ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("1,000", "1,000"),
        ("9007199254740991", 9007199254740991),
        ("-9007199254740991", -9007199254740991),
        ("00000000000000000000000000000007", 7),
        ("1e-4", 0.0001),
        ("3.0e-4", 0.0003),
        ("1E5", 100000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1.10", 1.1),
        (".", "."),
        ("-", "-"),
        ("+", "+"),
        ("1e", "1e"),
        ("e1", "e1"),
        ("1.2.3", "1.2.3"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("inf", "inf"),
        ("nan", "nan"),
        (".iNF", ".iNF"),
        ("١٢", "١٢"),
        ("=", "="),
    ],
)
def test_a_plain_scalar_is_read_by_the_core_schema(text: str, value: object) -> None:
    read = read_plain(text)

    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        ".nan",
        ".NaN",
        ".inf",
        "-.inf",
        "+.INF",
        "1e400",
        "-1e400",
        "9007199254740992",
        "-9007199254740992",
        "0x20000000000000",
        pytest.param("9" * 10_000, id="many digits"),
        pytest.param("0x" + "f" * 100_000, id="many hexadecimal digits"),
    ],
)
def test_a_number_that_json_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(NumberError):
        read_plain(text)


def test_quoted_scalars_are_strings() -> None:
    data = _document("a: '1'\nb: \"true\"\nc: |\n  2\nd: >-\n  null\n").data

    assert data == {"a": "1", "b": "true", "c": "2\n", "d": "null"}


def test_places_are_counted_in_code_points() -> None:
    document = _document('é😀: {"ключ": [один, "два"]}\n')

    assert document.span(("é😀", "ключ", 1)) == Span("a.yaml", 1, 21, 1, 26)
    assert document.key_span(("é😀", "ключ")) == Span("a.yaml", 1, 6, 1, 12)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_begins_a_new_line(end: str) -> None:
    document = _document(end.join(["# comment", "a: 1", "", "b:", "  c: x"]))

    assert document.span(("b", "c")) == Span("a.yaml", 5, 6, 5, 7)


def test_a_byte_order_mark_takes_no_column() -> None:
    source = decode("a.yaml", b"\xef\xbb\xbfa: 1\n")

    assert isinstance(source, Source)
    assert parse(source).documents[0].span(("a",)) == Span("a.yaml", 1, 4, 1, 5)


def test_what_is_not_there_is_placed_at_what_is_around_it() -> None:
    document = _document("a:\n  b: [x, {c: 1}]\n")

    assert document.span(("a", "b", 1, "d", 3)) == Span("a.yaml", 2, 10, 2, 16)
    assert document.span(("a", "b", 7)) == Span("a.yaml", 2, 6, 2, 17)
    assert document.key_span(("a", "z")) == Span("a.yaml", 2, 3, 2, 17)


def test_a_place_of_several_lines_is_cut_at_the_end_of_the_first() -> None:
    document = _document("a: |\n  one\n  two\nb: 1\n")

    assert document.span(("a",)) == Span("a.yaml", 1, 4, 1, 5)


def test_an_absent_value_is_one_column_wide() -> None:
    document = _document("a:\nb: 1\n")

    assert document.span(("a",)) == Span("a.yaml", 1, 3, 1, 4)


def test_documents_know_their_own_places() -> None:
    parsed = parse(Source("a.yaml", "a: 1\n---\na: 2\n---\n# nothing\n"))

    assert [each.data for each in parsed.documents] == [{"a": 1}, {"a": 2}]
    assert parsed.documents[1].span(("a",)).line == 3


def test_aliases_share_values_and_have_places_of_their_own() -> None:
    document = _document("a: &x {k: [1]}\nb: *x\nc: &y text\nd: *y\n")

    assert document.data == {
        "a": {"k": [1]},
        "b": {"k": [1]},
        "c": "text",
        "d": "text",
    }
    assert document.span(("b",)) == Span("a.yaml", 2, 4, 2, 6)
    assert document.span(("b", "k", 0)) == Span("a.yaml", 1, 12, 1, 13)


def test_an_anchor_may_be_given_again() -> None:
    assert _document("[&a 1, *a, &a 2, *a]").data == [1, 1, 2, 2]


def test_an_anchor_given_again_is_not_known_inside_of_itself() -> None:
    assert _codes("[&a 1, &a [*a]]") == ["yaml-alias"]


def test_an_anchor_ends_with_its_document() -> None:
    assert _codes("a: &x 1\n---\nb: *x\n") == ["yaml-alias"]


def test_aliases_do_not_add_up_to_a_deep_nesting() -> None:
    deep = "[" * 40 + "]" * 40

    assert _codes(f"a: &x {deep}\nb: {'[' * 30}*x{']' * 30}\n") == ["yaml-depth"]


def test_nesting_is_allowed_up_to_64() -> None:
    assert _codes("[" * 64 + "]" * 64) == []
    assert _codes("[" * 65 + "]" * 65) == ["yaml-depth"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_a_very_deep_nesting_is_refused_and_does_no_harm(opening: str) -> None:
    assert _codes(opening * 100_000) == ["yaml-depth"]


def test_aliases_may_stand_for_ten_thousand_values() -> None:
    hundred = "[" + ", ".join("1" * 99) + "]"

    assert _codes(f"[&a {hundred}" + ", *a" * 100 + "]") == []
    assert _codes(f"[&a {hundred}" + ", *a" * 101 + "]") == ["yaml-alias"]


def test_every_problem_of_a_text_is_found() -> None:
    assert _codes("a: !x 1\na: 2\n1: 3\n<<: {}\nb: .nan\nc: *d\n") == [
        "yaml-tag",
        "repeated-key",
        "wrong-type",
        "yaml-merge-key",
        "yaml-number",
        "yaml-alias",
    ]


def test_a_quoted_key_may_look_like_a_merge() -> None:
    assert _document('"<<": 1').data == {"<<": 1}


def test_documents_before_a_syntax_error_are_kept() -> None:
    parsed = parse(Source("a.yaml", "a: 1\n---\nb: [\n"))

    assert [each.data for each in parsed.documents] == [{"a": 1}]
    assert not parsed.complete


def test_a_list_gives_its_places_when_they_are_asked_for() -> None:
    document = _document("keys:\n" + "".join(f"- k{n}\n" for n in range(100_000)))

    spans = document.spans(("keys",), range(50_000, 100_000))

    assert len(spans) == 50_000
    assert spans[-1] == Span("a.yaml", 100_001, 3, 100_001, 9)
    assert spans[1:3][0] == Span("a.yaml", 50_003, 3, 50_003, 9)


_words = st.from_regex(r"[a-zà-ÿ😀]{1,5}", fullmatch=True)
_values = st.recursive(
    _words | st.integers(-100, 100),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=4)
    ),
    max_leaves=20,
)


def _flow(value: object) -> str:
    match value:
        case dict():
            inner = ", ".join(f"{key}: {_flow(item)}" for key, item in value.items())
            return f"{{ {inner} }}"
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case _:
            return str(value)


def _leaves(
    value: object, path: tuple[str | int, ...] = ()
) -> list[tuple[str | int, ...]]:
    match value:
        case dict():
            items = list(value.items())
        case list():
            items = list(enumerate(value))
        case _:
            return [path]
    return [leaf for key, item in items for leaf in _leaves(item, (*path, key))]


def _at(value: Any, path: tuple[str | int, ...]) -> object:
    for part in path:
        value = value[part]
    return value


@given(_values, st.sampled_from(["\n", "\r\n"]))
def test_every_place_is_where_the_text_says_the_value(value: object, end: str) -> None:
    text = f"# é{end}value: {_flow(value)}{end}"
    document = _document(text)

    assert document.data == {"value": value}
    for leaf in _leaves({"value": value}):
        span = document.span(leaf)
        written = re.split(r"\r?\n", text)[span.line - 1]
        assert written[span.column - 1 : span.end_column - 1] == _flow(
            _at(value, leaf[1:])
        )


@given(st.text(alphabet="[]{}:,-&*!|>'\"%@#?<~ab1.e\n\t \r\x85\ufeff", max_size=60))
def test_any_text_is_read_or_found_wrong(text: str) -> None:
    source = Source("a.yaml", text)

    parsed = parse(source)

    assert parsed.documents or parsed.diagnostics
    for found in parsed.diagnostics:
        assert found.span is not None
        line = source.line(found.span.line)
        assert 1 <= found.span.column <= len(line) + 1


@given(st.binary(max_size=60))
def test_any_bytes_are_text_or_found_wrong(content: bytes) -> None:
    found = decode("a.yaml", content)

    if isinstance(found, Source):
        assert content.decode("utf-8-sig") == found.text
    else:
        assert found.code == "not-utf8"
