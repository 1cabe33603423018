"""Field-level differences of configs."""

import pytest

from reconciler.plan.changes import MISSING, FieldChange
from reconciler.plan.fields import diff_fields
from reconciler.state.canonical import JsonObject


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"lr": 1}, {"lr": 1}, [], id="equal"),
        pytest.param({"lr": 1}, {"lr": 2}, [(("lr",), 1, 2)], id="value"),
        pytest.param({}, {"lr": 1}, [(("lr",), MISSING, 1)], id="added"),
        pytest.param(
            {"a": 1, "lr": 1}, {"a": 1}, [(("lr",), 1, MISSING)], id="removed"
        ),
        pytest.param(
            {"lr": None}, {"lr": 0}, [(("lr",), None, 0)], id="null is a value"
        ),
        pytest.param(
            {"flag": 1}, {"flag": True}, [(("flag",), 1, True)], id="1 is not true"
        ),
        pytest.param(
            {"adam": {"beta1": 0.9, "beta2": 0.99}},
            {"adam": {"beta1": 0.8, "beta2": 0.99}},
            [(("adam", "beta1"), 0.9, 0.8)],
            id="nested",
        ),
        pytest.param(
            {"layers": [1, 2, 3]},
            {"layers": [0, 1, 2, 3]},
            [
                (("layers", 0), 1, 0),
                (("layers", 1), 2, 1),
                (("layers", 2), 3, 2),
                (("layers", 3), MISSING, 3),
            ],
            id="lists by position",
        ),
        pytest.param(
            {"a'b.c[0]": 1}, {"a'b.c[0]": 2}, [(("a'b.c[0]",), 1, 2)], id="odd keys"
        ),
        pytest.param(
            {"__lr": 1, "o": {"__x": 1}},
            {"__lr": 2, "o": {"__x": 2}},
            [(("__lr",), 1, 2), (("o", "__x"), 1, 2)],
            id="keys that Python would call private",
        ),
        pytest.param(
            {"x": {"a": 1}}, {"x": 5}, [(("x",), {"a": 1}, 5)], id="another type"
        ),
    ],
)
def test_a_leaf_that_differs_is_named_by_its_path(
    before: JsonObject,
    after: JsonObject,
    expected: list[tuple[tuple[str | int, ...], object, object]],
) -> None:
    assert diff_fields(before, after) == tuple(
        FieldChange(*one)  # type: ignore[arg-type]  # a table of plain tuples
        for one in expected
    )


def test_unlike_mappings_are_still_compared_leaf_by_leaf() -> None:
    found = diff_fields(
        {"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1, "w": 2, "x": 3, "y": 4}
    )

    assert [one.path for one in found] == [
        ("b",), ("c",), ("d",), ("w",), ("x",), ("y",),
    ]  # fmt: skip
