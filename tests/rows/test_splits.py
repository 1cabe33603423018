"""Hashes and weights that must stay the same for ever."""

from decimal import Decimal

import pytest

from reconciler.diagnostics import Span
from reconciler.rows.spec import SplitByHash, SplitByPositions
from reconciler.rows.splits import (
    check_positions,
    check_weights,
    hash_bounds,
    hashed_split,
    row_hash,
)
from reconciler.state.resources import Split

HERE = Span("runs.yaml", 7, 3)


@pytest.mark.parametrize(
    ("salt", "text", "digits"),
    [("", "a", "7361a6f4b374745d"), ("v1", "digits-0001", "67b19dda7a5f20bc")],
)
def test_a_hash_is_the_same_for_ever(salt: str, text: str, digits: str) -> None:
    assert row_hash(text, salt) == digits


def test_bounds_are_shares_of_all_hashes() -> None:
    weights = {
        Split.TEST: Decimal("33.33"),
        Split.TRAINING: Decimal(50),
        Split.VALIDATION: Decimal("16.67"),
    }

    assert hash_bounds(weights) == (
        ("8000000000000000", Split.TRAINING),
        ("aaacd9e83e425aee", Split.VALIDATION),
        (None, Split.TEST),
    )


def test_the_split_that_completes_the_hundred_takes_every_hash() -> None:
    all_validation = hash_bounds({Split.VALIDATION: Decimal(100)})

    assert all_validation == (
        ("0000000000000000", Split.TRAINING),
        (None, Split.VALIDATION),
    )
    assert hashed_split("a", "", all_validation) is Split.VALIDATION


def test_a_row_goes_to_the_first_split_whose_bound_is_above_its_hash() -> None:
    weights = {Split.TRAINING: Decimal("45.07"), Split.TEST: Decimal("54.93")}
    more = {Split.TRAINING: Decimal("45.08"), Split.TEST: Decimal("54.92")}

    # 0x7361a6f4b374745d is 45.0708…% of 2^64.
    assert hashed_split("a", "", hash_bounds(weights)) is Split.TEST
    assert hashed_split("a", "", hash_bounds(more)) is Split.TRAINING


@pytest.mark.parametrize(
    ("weights", "messages"),
    [
        ({Split.TRAINING: "60", Split.TEST: "40.00"}, []),
        ({Split.TRAINING: "60"}, ["the weights sum to 60, not to 100"]),
        (
            {Split.TRAINING: "99.999", Split.TEST: "0.001"},
            [
                "the weight of TRAINING is 99.999: "
                "a percentage of two decimals at most is needed",
                "the weight of TEST is 0.001: "
                "a percentage of two decimals at most is needed",
            ],
        ),
        (
            {Split.TRAINING: "110", Split.TEST: "-10"},
            [
                "the weight of TRAINING is 110: "
                "a percentage of two decimals at most is needed",
                "the weight of TEST is -10: "
                "a percentage of two decimals at most is needed",
            ],
        ),
        (
            {Split.TRAINING: "1e30"},
            [
                "the weight of TRAINING is 1E+30: "
                "a percentage of two decimals at most is needed"
            ],
        ),
        (
            {Split.TRAINING: "90", Split.UNASSIGNED: "10"},
            ["UNASSIGNED takes no weight: what no other split takes doesn't exist"],
        ),
        ({}, ["the weights sum to 0, not to 100"]),
    ],
    ids=["right", "sum", "decimals", "negative", "huge", "unassigned", "none"],
)
def test_weights_are_checked(weights: dict[Split, str], messages: list[str]) -> None:
    rule = SplitByHash({s: Decimal(w) for s, w in weights.items()}, "", None, HERE)

    assert [found.message for found in check_weights(rule)] == messages


@pytest.mark.parametrize(
    ("slices", "messages"),
    [
        ({Split.TRAINING: (None, 8), Split.TEST: (8, 20)}, []),
        (
            {Split.TRAINING: (None, 8), Split.TEST: (5, None)},
            ["TRAINING and TEST both select position 5 to 7"],
        ),
        (
            {Split.TRAINING: (7, 8), Split.TEST: (7, None)},
            ["TRAINING and TEST both select position 7"],
        ),
        (
            {Split.TEST: (10, None)},
            ["the positions of TEST select none of the 10 rows"],
        ),
        ({Split.TEST: (4, 4)}, ["the positions of TEST select none of the 10 rows"]),
        ({Split.TEST: (-3, None)}, ["the positions of TEST count from the end"]),
    ],
    ids=["right", "overlap", "one-shared", "beyond", "nothing", "negative"],
)
def test_positions_are_checked(
    slices: dict[Split, tuple[int | None, int | None]], messages: list[str]
) -> None:
    rule = SplitByPositions(slices, dict.fromkeys(slices, HERE))

    assert [found.message for found in check_positions(rule, 10)] == messages
