"""What a run is sent, and what is said of it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from reconciler.plan.build import Plan
from reconciler.plan.changes import LabelsChange
from reconciler.plan.labels import LabelsFound
from reconciler.state.address import Address, RemoteId
from reconciler.state.inventory import Inventory
from reconciler.state.labels import ContentHash, LabelIds, PinnedLabel
from reconciler.state.resources import RowIdentity, Split
from reconciler.state.uploads import Family, Uploaded, Uploads
from tests.support.values import (
    MODEL,
    OWNED,
    PARENTS,
    RUN,
    box_line,
    current_run,
    plan_of,
    run,
    uploads,
)

SENT = uploads(Family.PREDICTIONS, {key: [box_line(key)] for key in "abcd"}, slots=4)
ALL = [str(chunk.slot) for chunk in SENT.chunks]
OF_A = next(
    str(chunk.slot)
    for chunk in SENT.chunks
    if any(b'"a"' in line for line in chunk.lines)
)
PIN = PinnedLabel("a", ContentHash("sha256:1"))


def recorded(*, parent: str | None = "run-1", owned: bool = True) -> Inventory:
    """Remember everything as sent."""
    known = {
        chunk.slot: Uploaded(
            digest=chunk.digest,
            generation=1,
            finished=True,
            parent=None if parent is None else RemoteId(parent),
        )
        for chunk in SENT.chunks
    }
    return Inventory(
        owned=OWNED if owned else {}, uploads={(RUN, Family.PREDICTIONS): known}
    )


def plan(
    labels: LabelsChange | None = None,
    *,
    sent: Uploads = SENT,
    rows: Mapping[str, Split] | None = None,
    inventory: Inventory,
    exists: bool = True,
) -> Plan:
    wanted = replace(
        run(rows=rows), labels=None if labels is None else LabelIds(frozenset())
    )
    found: dict[Address, LabelsFound] = {}
    if labels is not None:
        found[RUN] = LabelsFound(labels)
    return plan_of(
        MODEL,
        wanted,
        there={**PARENTS, RUN: current_run()} if exists else PARENTS,
        rows={RUN: rows or {}},
        labels=found,
        sent={RUN: (sent,)},
        inventory=inventory,
    )


def slots_of(made: Plan) -> list[str]:
    return [
        str(one.chunk.slot)
        for change in made.changes
        for family in change.uploads
        for one in family.sent
    ]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param(LabelsChange(project=None), [], id="none"),
        pytest.param(LabelsChange(project=None, added=(PIN,)), [OF_A], id="added"),
        pytest.param(LabelsChange(project=None, replaced=(PIN,)), [], id="replaced"),
        pytest.param(LabelsChange(project=None, ids=(RemoteId("l"),)), ALL, id="ids"),
    ],
)
def test_rows_that_come_with_labels_get_their_predictions_again(
    labels: LabelsChange, expected: list[str]
) -> None:
    assert len(ALL) > 1

    assert slots_of(plan(labels, inventory=recorded())) == expected


def test_labels_bring_no_rows_where_rows_are_listed() -> None:
    labels = LabelsChange(project=None, added=(PIN,))
    rows = dict.fromkeys("abcd", Split.TEST)

    assert slots_of(plan(labels, rows=rows, inventory=recorded())) == []


def test_rows_named_by_id_can_not_be_told_from_the_keys_of_a_lock() -> None:
    labels = LabelsChange(project=None, added=(PIN,))
    by_id = replace(SENT, by=RowIdentity.DATA_ROW_ID)

    assert slots_of(plan(labels, sent=by_id, inventory=recorded())) == ALL


NOTHING = Inventory()


@pytest.mark.parametrize(
    ("inventory", "unknown"),
    [
        pytest.param(NOTHING, True, id="lost"),
        pytest.param(recorded(parent="run-0", owned=False), True, id="of another run"),
        pytest.param(recorded(owned=False), False, id="sent"),
        pytest.param(recorded(parent=None, owned=False), False, id="begun"),
        pytest.param(Inventory(owned=OWNED), False, id="made from here"),
    ],
)
def test_that_nobody_knows_what_a_run_was_sent_is_said(
    inventory: Inventory, unknown: bool
) -> None:
    codes = [one.code for one in plan(inventory=inventory).notices]

    assert ("uploads-unknown" in codes) is unknown


def test_of_a_run_that_is_new_or_sent_nothing_everything_is_known() -> None:
    nothing = uploads(Family.PREDICTIONS, {})

    for made in (
        plan(inventory=NOTHING, exists=False),
        plan(sent=nothing, inventory=NOTHING),
    ):
        assert "uploads-unknown" not in {one.code for one in made.notices}
