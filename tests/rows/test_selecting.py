"""What a remote offers, to the rows that a selection chooses."""

import time
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError, Span
from reconciler.rows.problems import Problems
from reconciler.rows.selecting import (
    Chosen,
    SelectedSplit,
    choose,
    group_text,
    split_json,
)
from reconciler.rows.spec import InlineRows, SplitByHash, SplitByLists
from reconciler.rows.splits import hash_bounds, hashed_split
from reconciler.state.address import Address, Kind
from reconciler.state.canonical import JsonValue
from reconciler.state.resources import Split
from reconciler.state.selection import Condition, SelectedRow, Selection

T, V, E, U = Split
HERE = Span("rows.yaml", 4, 1)
STREETS = Address(Kind.DATASET, ("streets",))
HALVES = {T: Decimal(50), E: Decimal(50)}


def row(key: str | None, **metadata: JsonValue) -> SelectedRow:
    return SelectedRow(f"id-of-{key}", key, metadata)


def chosen(
    *rows: SelectedRow,
    keys: str | None = None,
    metadata: Sequence[Condition] = (),
    group: str | None = None,
    rule: SelectedSplit | None = None,
) -> Chosen:
    selection = Selection(
        source=STREETS, keys=keys, metadata=tuple(metadata), group=group
    )
    return choose([rows[:1], rows[1:]], selection, rule, span=HERE)


def fitting(
    *rows: SelectedRow, keys: str | None = None, metadata: Sequence[Condition] = ()
) -> set[str]:
    """Name the rows that are chosen, also when there are none."""
    try:
        return set(chosen(*rows, keys=keys, metadata=metadata).rows)
    except InputError as error:
        if [one.code for one in error.diagnostics] != ["selects-nothing"]:
            raise
        return set()


def problems(*rows: SelectedRow, **wanted: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        chosen(*rows, **wanted)  # type: ignore[arg-type]  # as `chosen` takes them
    return [
        f"{found}: {', '.join(found.details)}" if found.details else str(found)
        for found in caught.value.diagnostics
    ]


def test_all_rows_are_chosen_unless_something_is_asked_of_them() -> None:
    found = chosen(row("b"), row("a"), row("a"))

    assert found == Chosen({"b": U, "a": U}, None)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("night-*", {"night-1", "night-", "night-*", "night-\U0001f319"}),
        ("night-?", {"night-1", "night-*", "night-\U0001f319"}),
        ("*t-1*", {"night-1"}),
        ("a.b", {"a.b"}),
        ("a?b", {"a.b", "axb"}),
        ("nigh?", {"nigh\xe6"}),
        ("*-\\*", set()),
        ("**1", {"night-1"}),
    ],
)
def test_a_pattern_is_of_the_whole_key(pattern: str, fits: set[str]) -> None:
    offered = ("night-1", "night-", "night-*", "night-\U0001f319", "a.b", "axb")

    found = fitting(*(row(key) for key in (*offered, "nigh\xe6")), keys=pattern)

    assert found == fits


def test_many_stars_take_no_more_time_than_few() -> None:
    rows = [row("a" * 190 + str(n)) for n in range(100)]
    began = time.monotonic()

    found = problems(*rows, keys="*a" * 90 + "b")

    assert found == [
        "rows.yaml:4:1: no data row of dataset/streets is selected [selects-nothing]"
    ]
    assert time.monotonic() - began < 5


def test_a_pattern_that_is_beyond_the_engine_is_refused() -> None:
    [found] = problems(row("a"), keys="?*a" * 100_000)

    assert found.startswith("rows.yaml:4:1: `keys` is no usable pattern: ")


@pytest.mark.parametrize(
    ("equals", "value", "fits"),
    [
        ([1], 1.0, True),
        ([1], True, False),
        ([True], 1, False),
        ([True], True, True),
        (["1"], 1, False),
        (["Oslo", "Bergen"], "Bergen", True),
        (["Oslo"], "oslo", False),
        ([9007199254740993.0], 9007199254740993, True),
    ],
)
def test_values_are_equal_as_json_is(
    equals: list[JsonValue], value: JsonValue, fits: bool
) -> None:
    wanted = Condition(field="f", equals=tuple(equals))

    assert fitting(row("a", f=value), metadata=[wanted]) == ({"a"} if fits else set())


@pytest.mark.parametrize(
    ("low", "high", "value", "fits"),
    [
        (0.5, None, 0.5, True),
        (0.5, None, 0.4, False),
        (None, 1.0, 1, True),
        (None, 1.0, 1.1, False),
        (0.0, 1.0, True, False),
        (0.0, None, "1", False),
        (0.0, None, None, False),
        ("2026-01-31", None, "2026-01-31T00:00:00Z", True),
        ("2026-01-31", None, "2026-01-31T00:30:00+01:00", False),
        (None, "2026-01-31", "2026-01-31T23:59:59Z", True),
        (None, "2026-01-31", "2026-02-01T00:00:00Z", False),
        ("2026-01-31T12:00:00+02:00", None, "2026-01-31T10:00:00Z", True),
        ("2026-01-31", None, 5, False),
        ("2026-01-31", None, "soon", False),
        ("2026-01-31", None, "2026-02-01T00:00:00", False),
    ],
)
def test_a_range_holds_its_ends(
    low: float | str | None, high: float | str | None, value: JsonValue, fits: bool
) -> None:
    wanted = Condition(field="f", minimum=low, maximum=high)

    assert fitting(row("a", f=value), metadata=[wanted]) == ({"a"} if fits else set())


def test_all_conditions_hold_and_a_row_without_the_field_meets_none() -> None:
    wanted = [
        Condition(field="city", equals=("Oslo",)),
        Condition(field="n", minimum=1),
    ]

    found = chosen(
        row("a", city="Oslo", n=1),
        row("b", city="Oslo", n=0),
        row("c", city="Oslo"),
        row("d", n=5),
        metadata=wanted,
    )

    assert found.rows == {"a": U}


def test_rows_that_no_lock_can_name_are_counted() -> None:
    rows = [SelectedRow(f"id-{n:02}", None, {}) for n in range(12)]

    found = problems(*rows, row("a"), row("two\nlines"), row(" b"))

    assert found == [
        "rows.yaml:4:1: 12 selected data rows without a global key [row-without-key]: "
        "id-00, id-01, id-02, id-03, id-04, id-05, id-06, id-07, id-08, id-09",
        "rows.yaml:4:1: 2 selected data rows with a global key that no lock can hold "
        "[row-invalid]: ' b', 'two\\nlines'",
    ]


def test_a_row_without_a_key_is_left_out_by_a_pattern_or_condition() -> None:
    keyless = SelectedRow("id", None, {"city": "Oslo"})
    wanted = [Condition(field="city", equals=("Bergen",))]

    assert chosen(keyless, row("a"), keys="a*").rows == {"a": U}
    assert chosen(keyless, row("a", city="Bergen"), metadata=wanted).rows == {"a": U}


def test_a_hash_splits_by_key_as_it_does_anywhere() -> None:
    rule = SplitByHash(HALVES, "v1", None, HERE)

    found = chosen(*(row(f"k{n}") for n in range(20)), rule=rule)

    bounds = hash_bounds(HALVES)
    assert found.rows == {
        f"k{n}": hashed_split(f"k{n}", "v1", bounds) for n in range(20)
    }
    assert set(found.rows.values()) == {T, E}


def test_a_hash_by_group_keeps_rows_together() -> None:
    rule = SplitByHash(HALVES, "", "city", HERE)
    rows = [row(f"k{n}", city=f"c{n % 3}") for n in range(30)]

    found = chosen(*rows, rule=rule, group="city")

    bounds = hash_bounds(HALVES)
    assert found.groups == {f"k{n}": f"c{n % 3}" for n in range(30)}
    assert found.rows == {
        f"k{n}": hashed_split(f"c{n % 3}", "", bounds) for n in range(30)
    }


def test_a_row_without_the_group_that_splits_is_an_error() -> None:
    rule = SplitByHash(HALVES, "", "city", HERE)

    found = problems(
        row("a", city="Oslo"), row("b"), row("c", city=""), rule=rule, group="city"
    )

    assert found == [
        "rows.yaml:4:1: 2 selected data rows without the metadata field 'city', which "
        "splits are made by [split-group]: b, c"
    ]


def test_wrong_weights_are_said_with_what_else_is_wrong() -> None:
    rule = SplitByHash({T: Decimal(50)}, "", None, HERE)

    found = problems(SelectedRow("id", None, {}), rule=rule)

    assert [one.rpartition("[")[2].partition("]")[0] for one in found] == [
        "row-without-key",
        "split-weights",
    ]


def lists(**named: Sequence[str]) -> SplitByLists:
    return SplitByLists(
        {
            Split(split): (InlineRows(names, [Span("rows.yaml", 9, 1)] * len(names)),)
            for split, names in named.items()
        },
        HERE,
    )


def test_lists_split_what_is_chosen_and_nothing_else() -> None:
    rule = lists(TEST=["a"])

    assert chosen(row("a"), row("b"), rule=rule).rows == {"a": E, "b": U}
    assert problems(row("b"), rule=rule) == [
        "rows.yaml:9:1: 'a' is in TEST, but is none of the rows [row-not-member]"
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("Oslo", "Oslo"),
        ("a\tb\nc", "a\\u0009b\\u000ac"),
        ("a\\u0009", "a\\u005cu0009"),
        (1.0, "1"),
        (True, "true"),
    ],
)
def test_a_group_stays_on_its_line_and_apart_from_others(
    value: JsonValue, text: str
) -> None:
    assert group_text(value) == text


def test_equal_rules_are_said_equally(tmp_path: Path) -> None:
    read = Problems()
    hashed = SplitByHash({T: Decimal("50.50"), E: Decimal("49.5")}, "v1", "city", HERE)

    assert split_json(None, read) is None
    assert split_json(hashed, read) == {
        "hash": {
            "weights": {"TRAINING": 50.5, "TEST": 49.5},
            "salt": "v1",
            "group": "city",
        }
    }
    assert split_json(lists(TEST=["b", "a"]), read) == split_json(
        lists(TEST=["a", "b"]), read
    )
    assert split_json(lists(TEST=["a"]), read) != split_json(lists(TEST=["b"]), read)
    assert split_json(lists(TEST=["a"]), read) != split_json(
        lists(TRAINING=["a"]), read
    )
    assert not read
