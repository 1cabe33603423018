"""What holds for every workspace and every remote, tried on many of them."""

import io
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from reconciler.apply.executor import execute
from reconciler.plan.build import Plan, build
from reconciler.plan.codec import read_plan, save_plan, write_plan
from reconciler.plan.compare import compare_plans
from reconciler.plan.guards import Guards, Threshold
from reconciler.plan.steps import RemoveRows
from reconciler.rows.current import collect
from reconciler.rows.diff import diff_rows
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.inventory import Inventory
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Resource,
    Run,
    Split,
)
from reconciler.state.snapshot import Desired
from tests.support.fakes import FakeRemote
from tests.support.values import SCHEMA, TARGET, data_row, desired, members

KEYS = "abcdefgh"
NOTHING_HELD_BACK = Guards(rows_removed=Threshold(count=10**9, percent=100))

memberships = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(Split))
scalars: st.SearchStrategy[JsonValue] = (
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)
)
values: st.SearchStrategy[JsonValue] = st.one_of(
    scalars,
    st.lists(scalars, max_size=2),
    st.dictionaries(st.sampled_from("pq"), scalars, max_size=2),
)
configs: st.SearchStrategy[JsonObject] = st.dictionaries(
    st.sampled_from("xyz"), values, max_size=3
)


@st.composite
def workspaces(draw: st.DrawFn) -> Desired:
    """Declare a dataset, and one or two models with up to three runs."""
    uploaded = draw(st.sets(st.sampled_from("ghij")))
    resources: list[Resource] = [
        Dataset("images", None, {GlobalKey(key): data_row(key) for key in uploaded})
    ]
    available = sorted({*KEYS} - {"g", "h"} | uploaded)
    for name in draw(st.sampled_from([("m",), ("m", "n")])):
        ontology = Ontology(name, "IMAGE", SCHEMA)
        resources += [ontology, Model(name, ontology.address)]
        for number in range(draw(st.integers(0, 3))):
            rows = draw(
                st.none()
                | st.dictionaries(st.sampled_from(available), st.sampled_from(Split))
            )
            config = draw(st.none() | configs)
            resources.append(
                Run(name, f"r{number}", config, None if rows is None else members(rows))
            )
    return desired(*draw(st.permutations(resources)))


def make_plan(wanted: Desired, remote: FakeRemote) -> Plan:
    """Plan as the pipeline does, without its checks of keys."""
    current = remote.read(wanted)
    rows = {}
    for one in wanted.runs():
        if one.rows is not None:
            found = current.id_of(one.address)
            there = (
                collect(())
                if found is None
                else remote.read_rows(found, expected=len(one.rows))
            )
            rows[one.address] = diff_rows(desired=one.rows, current=there)
    return build(
        workspace="test",
        target=TARGET,
        desired=wanted,
        current=current,
        rows=rows,
        inventory=Inventory(),
        guards=NOTHING_HELD_BACK,
        batch_size=3,
    )


def apply(plan: Plan, remote: FakeRemote, *, events: int | None = None) -> None:
    """Carry out a plan, or as much of it as so many events are."""
    happening = execute(plan.work, remote, ids=plan.ids, parallelism=1)
    list(islice(happening, events))
    happening.close()


def remote_with(first: Desired) -> FakeRemote:
    """Have a remote on which some other workspace was applied already."""
    remote = FakeRemote("abcdef")
    apply(make_plan(first, remote), remote)
    return remote


@given(workspaces())
def test_after_an_apply_there_is_nothing_left_to_do(wanted: Desired) -> None:
    remote = FakeRemote("abcdef")

    apply(make_plan(wanted, remote), remote)

    assert not make_plan(wanted, remote)


@given(workspaces(), workspaces())
def test_any_remote_is_brought_to_what_is_declared(
    first: Desired, then: Desired
) -> None:
    remote = remote_with(first)

    apply(make_plan(then, remote), remote)

    assert not make_plan(then, remote)
    for one in then.runs():
        if one.rows is not None:
            there = remote.runs[one.address].rows
            assert len(there) == len(one.rows)
        if one.config is not None:
            assert remote.runs[one.address].config == one.config


@given(workspaces(), workspaces(), st.integers(0, 40))
def test_an_apply_cut_short_anywhere_can_simply_be_repeated(
    first: Desired, then: Desired, cut: int
) -> None:
    remote = remote_with(first)
    saved = save_plan(make_plan(then, remote))

    apply(make_plan(then, remote), remote, events=cut)
    again = make_plan(then, remote)

    assert compare_plans(saved=saved, fresh=again) == ()
    apply(again, remote)
    assert not make_plan(then, remote)


@given(workspaces(), workspaces())
def test_a_plan_file_reads_back_as_what_was_agreed_to(
    first: Desired, then: Desired
) -> None:
    plan = make_plan(then, remote_with(first))
    file = io.BytesIO()

    write_plan(save_plan(plan), file)
    file.seek(0)

    assert read_plan(file, name="p") == save_plan(plan)


@given(workspaces())
def test_the_order_of_manifests_changes_neither_plan_nor_digest(
    wanted: Desired,
) -> None:
    shuffled = dict(reversed(list(wanted.resources.items())))
    remote = FakeRemote("abcdef")

    one = make_plan(wanted, remote)
    other = make_plan(Desired(resources=shuffled), remote)

    assert one.digest == other.digest
    assert one.work == other.work


@given(workspaces(), workspaces())
def test_nothing_leaves_a_run_while_guards_hold_everything_back(
    first: Desired, then: Desired
) -> None:
    remote = remote_with(first)
    plan = make_plan(then, remote)
    strict = Guards(rows_removed=Threshold(count=0, percent=0))
    rows = {one.address: one.rows for one in plan.changes if one.rows is not None}

    held = build(
        workspace="test",
        target=TARGET,
        desired=then,
        current=remote.read(then),
        rows=rows,
        inventory=Inventory(),
        guards=strict,
    )

    removing = {
        step.address
        for work in held.work
        for phase in work.phases
        for step in phase
        if isinstance(step, RemoveRows)
    }
    assert removing == {one.address for one in held.blocked}
