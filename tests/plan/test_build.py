"""Plans as a whole, and narrowed."""

import pytest

from reconciler.plan.build import Plan
from reconciler.state.address import Address
from reconciler.state.resources import Model, Ontology
from tests.support.values import (
    CURRENT_ONTOLOGY,
    MODEL,
    ONTOLOGY,
    PARENTS,
    RUN,
    SCHEMA,
    plan_of,
    run,
)

OTHER = Ontology("letters", None, SCHEMA)


def addresses(plan: Plan) -> list[str]:
    return [str(work.address) for work in plan.work]


def test_a_narrowed_plan_does_what_is_selected_and_what_that_needs() -> None:
    plan = plan_of(
        ONTOLOGY,
        OTHER,
        MODEL,
        run(config={"a": 1}),
        owned={},
        selected=frozenset({RUN}),
    )

    assert addresses(plan) == ["ontology/digits", "model/digits", "run/digits/svm"]


def test_what_exists_already_does_not_come_with_what_is_selected() -> None:
    plan = plan_of(
        ONTOLOGY,
        MODEL,
        run(config={"a": 1}),
        there=PARENTS,
        owned={},
        selected=frozenset({RUN}),
    )

    assert [change.address for change in plan.changes] == [RUN]


@pytest.mark.parametrize("selected", [RUN, MODEL.address], ids=["the run", "the model"])
def test_what_stands_on_something_blocked_is_blocked_when_narrowed_to(
    selected: Address,
) -> None:
    differing = Ontology("digits", "TEXT", SCHEMA)
    plan = plan_of(
        differing,
        Model("digits", differing.address),
        run(config={"a": 1}),
        there={ONTOLOGY.address: CURRENT_ONTOLOGY},
        owned={},
        selected=frozenset({selected}),
    )

    assert [one.code for one in plan.blocked] == ["ontology-differs"]


def test_a_reference_with_another_media_type_is_blocked() -> None:
    plan = plan_of(
        Ontology("digits", "TEXT"), there={ONTOLOGY.address: CURRENT_ONTOLOGY}
    )

    assert [one.code for one in plan.blocked] == ["ontology-differs"]
