"""Words for what is wrong."""

import pytest

from reconciler.annotations.problems import hint, show


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("caat", "cat"),
        ("ct", "cat"),
        ("cut", "cat"),
        ("act", "cat"),
        ("CAT", "cat"),
        ("catss", None),
        ("pedestrain", "Pedestrian"),
        ("z", None),
        ("X", "x"),
        ("", None),
        ("w" * 65, None),
    ],
)
def test_a_word_one_slip_away_is_proposed(wrong: str, meant: str | None) -> None:
    found = hint(wrong, ["cat", "Pedestrian", "x", "w" * 66])

    assert found == (f"; did you mean {meant!r}?" if meant else "")


def test_long_values_are_cut() -> None:
    assert show("a" * 100) == f"'{'a' * 75}...'"
    assert show("a" * 78) == f"'{'a' * 78}'"
    assert show([1] * 100) == f"[{'1, ' * 25}..."
