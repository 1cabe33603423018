"""Problems that are collected, bounded, and said once."""

from collections.abc import Iterable

from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows.problems import SHOWN, Advice, Problems


def wrong(line: int, message: str = "wrong") -> Diagnostic:
    return Diagnostic("row-invalid", message, Span("a.csv", line))


def collected(found: Iterable[Diagnostic]) -> Problems:
    problems = Problems()
    for one in found:
        problems.add(one)
    return problems


def test_what_is_found_again_at_the_same_place_counts_once() -> None:
    each = [wrong(1), wrong(2), wrong(2, "wrong too")]

    problems = collected(each * 10)

    assert [*problems] == each
    assert len(problems) == 3


def test_what_is_beyond_counts_once_as_well() -> None:
    of_a_run = [*collected(wrong(line) for line in range(SHOWN + 3))]
    of_another = [*collected(wrong(line) for line in range(100, 105 + SHOWN))]

    problems = collected([*of_a_run, *of_a_run, *of_another, *of_a_run])

    assert len(problems) == 2 * SHOWN + 8
    assert [*problems][-1].message == (
        f"the same is wrong in {SHOWN + 8} more places of a.csv"
    )


def test_a_name_with_another_number_is_not_what_was_meant() -> None:
    advice = Advice()

    assert advice.nearest("row-12", ["row-13", "row-21", "row-1"]) is None
    assert advice.nearest("rwo-12", ["row-13", "row-12"]) == "did you mean 'row-12'?"
    assert advice.nearest("row-012", ["row-12"]) == "did you mean 'row-12'?"
    assert advice.nearest("row", ["rows"]) == "did you mean 'rows'?"
