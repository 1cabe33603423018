"""What holds for runs with all that they may have: labels, predictions, and so on."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from uuid import NAMESPACE_OID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from reconciler.apply.executor import execute
from reconciler.plan.build import Plan, build
from reconciler.plan.codec import save_plan
from reconciler.plan.compare import compare_plans
from reconciler.plan.guards import Allowance, Guard, Guards, Threshold
from reconciler.plan.labels import LabelsFound, compare_labels
from reconciler.plan.steps import SendChunk
from reconciler.plan.uploads import Destination, compare_uploads, contents_sent
from reconciler.rows.current import collect
from reconciler.rows.diff import diff_rows
from reconciler.rows.membership import names_of
from reconciler.state.address import Address, RemoteId, run_address
from reconciler.state.canonical import JsonObject
from reconciler.state.labels import LabelIds, LabelPins, Labels, PinnedLabel
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Project,
    Resource,
    Run,
    RunStatus,
    Split,
    Status,
)
from reconciler.state.snapshot import Desired
from reconciler.state.uploads import Family, Uploads
from tests.support.fakes import FakeLedger, FakeRemote, Killed
from tests.support.values import (
    SCHEMA,
    TARGET,
    box_line,
    data_row,
    desired,
    identity,
    members,
    metric_line,
    said_by,
    uploads,
)

KEYS = "abcdef"
UPLOADED = "ef"
NOTHING_HELD_BACK = Guards(rows_removed=Threshold(count=10**9, percent=100))
ONTOLOGY = Ontology("m", "IMAGE", SCHEMA)
PROJECT = Project("truth", ONTOLOGY.address, labels=())
RUNS = ("r0", "r1")
EVERYTHING_ALLOWED = [
    Allowance(guard, run_address("m", run)) for run in RUNS for guard in Guard
]

keys = st.sampled_from(KEYS)
slots = st.sampled_from([1, 2, 4])
configs: st.SearchStrategy[JsonObject] = st.dictionaries(
    st.sampled_from("xy"), st.integers(0, 2)
)
statuses = st.builds(
    RunStatus,
    st.sampled_from([Status.PREPARING_DATA, Status.TRAINING_MODEL, Status.COMPLETE]),
    st.dictionaries(st.sampled_from("xy"), st.integers(0, 2), max_size=2),
)


@dataclass(frozen=True)
class Wanted:
    """What should be: the manifests, and what they have sent."""

    desired: Desired
    sent: Mapping[Address, tuple[Uploads, ...]]


@dataclass
class Site:
    """A remote, and what was done to it from here."""

    remote: FakeRemote = field(default_factory=lambda: FakeRemote(KEYS))
    ledger: FakeLedger = field(default_factory=FakeLedger)


@st.composite
def workspaces(draw: st.DrawFn) -> Wanted:
    """Declare a project with ground truth, and up to two runs with everything."""
    truth = {
        key: [truth_line(key, draw(st.integers(0, 2)))] for key in draw(st.sets(keys))
    }
    files = {GlobalKey(key): data_row(key) for key in UPLOADED}
    resources: list[Resource] = [Dataset("images", None, files), ONTOLOGY, PROJECT]
    resources.append(Model("m", ONTOLOGY.address))
    sent: dict[Address, tuple[Uploads, ...]] = {}
    sent[PROJECT.address] = (uploads(Family.LABELS, truth, slots=draw(slots)),)
    for name in draw(st.sets(st.sampled_from(RUNS))):
        rows = draw(st.dictionaries(keys, st.sampled_from(Split)))
        run = Run(
            "m",
            name,
            draw(st.none() | configs),
            members(rows),
            labels=draw(st.none() | st.just(LabelIds(frozenset())) | pins(truth)),
            predictions=(),
            status=draw(st.none() | statuses),
        )
        resources.append(run)
        sent[run.address] = tuple(draw(predicted(rows)))
    return Wanted(desired(*draw(st.permutations(resources))), sent)


def pins(truth: Mapping[str, list[bytes]]) -> st.SearchStrategy[Labels]:
    """Pin labels of some of the rows that the ground truth has."""
    some = st.sets(st.sampled_from(sorted(truth))) if truth else st.just(set[str]())
    return some.map(
        lambda rows: LabelPins(
            project=PROJECT.address,
            organisation=RemoteId("org"),
            labels={row: PinnedLabel(row, said_by(truth[row])) for row in rows},
            digest="sha256:" + "".join(sorted(rows)),
            name="truth.lock",
        )
    )


@st.composite
def predicted(draw: st.DrawFn, rows: Mapping[str, Split]) -> list[Uploads]:
    """Predict and measure some of the rows."""
    some = st.sets(st.sampled_from(sorted(rows))) if rows else st.just(set[str]())
    boxes = {
        key: [box_line(key, number) for number in draw(st.sets(st.integers(0, 2)))]
        for key in draw(some)
    }
    metrics = {
        key: [metric_line(key, value=draw(st.sampled_from([0.25, 0.5])))]
        for key in draw(some)
    }
    return [
        uploads(Family.PREDICTIONS, boxes, slots=draw(slots)),
        uploads(Family.METRICS, metrics, slots=draw(slots)),
    ]


def truth_line(key: str, number: int) -> bytes:
    """Write the one box that the label of a row has, here or there."""
    line = json.loads(box_line(key, number))
    return json.dumps({**line, "uuid": str(uuid5(NAMESPACE_OID, key))}).encode()


def make_plan(wanted: Wanted, site: Site) -> Plan:
    """Plan as the pipeline does, without its checks of keys."""
    remote = site.remote
    current = remote.read(wanted.desired)
    rows = {}
    said = {}
    for one in wanted.desired.runs():
        found = current.id_of(one.address)
        if one.rows is not None:
            there = (
                collect(()) if found is None else remote.read_rows(found, expected=0)
            )
            rows[one.address] = diff_rows(desired=one.rows, current=there)
        said[one.address] = None if found is None else remote.read_status(found)
    return build(
        workspace="test",
        target=TARGET,
        desired=wanted.desired,
        current=current,
        rows=rows,
        inventory=site.ledger.recall(),
        guards=NOTHING_HELD_BACK,
        labels={
            one.address: find_labels(one, wanted, site)
            for one in wanted.desired.runs()
            if one.labels is not None
        },
        uploads=wanted.sent,
        statuses=said,
        allowed=EVERYTHING_ALLOWED,
        batch_size=3,
    )


def find_labels(run: Run, wanted: Wanted, site: Site) -> LabelsFound:
    """Compare the labels of a run as the pipeline does."""
    assert run.labels is not None
    assert run.rows is not None
    remote = site.remote
    there = remote.runs.get(run.address)
    project = remote.projects.get(PROJECT.address)
    (truth,) = wanted.sent[PROJECT.address]
    inventory = site.ledger.recall()
    sent = compare_uploads(
        truth,
        to=Destination(
            id=None if project is None else project.id,
            imports={} if project is None else project.imports,
        ),
        recorded=inventory.uploads.get((PROJECT.address, truth.family), {}),
        lineage=inventory.lineage,
    )
    return compare_labels(
        run.labels,
        address=run.address,
        current=[] if there is None else remote.read_labels(there.id),
        members=names_of(run.rows),
        upstream=None if project is None else remote.read_project_labels(project.id),
        coming=contents_sent(truth, sent),
        organisation=RemoteId("org"),
    )


def apply(plan: Plan, site: Site, *, events: int | None = None) -> None:
    """Carry out a plan, or as much of it as so many events are."""
    site.ledger.adopt(plan)
    happening = execute(plan.work, site.remote, ids=plan.ids, parallelism=1)
    list(islice(site.ledger.record(happening, ids=plan.ids), events))
    happening.close()


def blocks(plan: Plan) -> set[str]:
    return {one.code for one in plan.blocked}


def check(wanted: Wanted, site: Site) -> None:
    """Look whether everything is there that is wanted."""
    project = site.remote.projects[PROJECT.address]
    has_all(wanted.sent[PROJECT.address], project.sent)
    for run in wanted.desired.runs():
        there = site.remote.runs[run.address]
        assert run.rows is not None
        assert {
            key.removeprefix("id-of-"): split for key, split in there.rows.items()
        } == dict(run.rows)
        has_all(wanted.sent[run.address], there.sent)
        assert run.config in (None, there.config)
        if isinstance(run.labels, LabelPins):
            for key in names_of(run.rows) & run.labels.labels.keys():
                found = there.labels[f"id-of-{key}"]
                assert found.content == run.labels.labels[key].content
        if run.status is not None:
            assert there.status is not None
            assert not there.status.status.comes_before(run.status.status)
            if there.status.status is run.status.status:
                assert there.status.metadata.items() >= run.status.metadata.items()


def has_all(
    wanted: tuple[Uploads, ...], sent: Mapping[str, Mapping[str, bytes]]
) -> None:
    """Look whether every line was taken, and is the last of what it is."""
    for one in wanted:
        for chunk in one.chunks:
            for line in chunk.lines:
                assert sent[f"id-of-{key_of(line)}"][identity(line)] == line


def key_of(line: bytes) -> str:
    key = json.loads(line)["dataRow"]["globalKey"]
    assert isinstance(key, str)
    return key


def site_with(first: Wanted) -> Site:
    """Have a remote on which another state was applied from here already."""
    site = Site()
    plan = make_plan(first, site)
    apply(plan, site)
    return site


@given(workspaces(), workspaces())
def test_any_remote_is_brought_to_what_is_declared(first: Wanted, then: Wanted) -> None:
    site = site_with(first)
    plan = make_plan(then, site)

    apply(plan, site)

    assert blocks(plan) <= {"labels-not-removable"}
    assert not make_plan(then, site)
    check(then, site)


@given(workspaces(), workspaces())
def test_going_back_to_what_was_is_sent_as_if_it_were_new(
    first: Wanted, then: Wanted
) -> None:
    site = site_with(first)
    apply(make_plan(then, site), site)

    apply(make_plan(first, site), site)

    assert not make_plan(first, site)
    check(first, site)


@given(workspaces(), workspaces(), st.integers(0, 40), st.booleans())
def test_an_apply_cut_short_anywhere_can_simply_be_repeated(
    first: Wanted,
    then: Wanted,
    cut: int,
    dies: bool,
) -> None:
    site = site_with(first)
    plan = make_plan(then, site)
    saved = save_plan(plan)

    if dies:
        site.remote.dies_after = cut
        with suppress(Killed):
            apply(plan, site)
        site.remote.dies_after = None
    else:
        apply(plan, site, events=cut)
    again = make_plan(then, site)

    assert compare_plans(saved=saved, fresh=again) == ()
    apply(again, site)
    assert not make_plan(then, site)
    check(then, site)


@given(workspaces(), workspaces(), workspaces())
def test_what_stays_though_nobody_declares_it_is_counted(
    first: Wanted, then: Wanted, last: Wanted
) -> None:
    site = site_with(first)
    apply(make_plan(then, site), site)

    plan = make_plan(last, site)

    for change in plan.changes:
        there = site.remote.runs.get(change.address)
        if there is None or not isinstance(change.desired, Run):
            continue
        assert change.desired.rows is not None
        for one, declared in zip(
            change.uploads, last.sent[change.address], strict=True
        ):
            wanted = {
                (key_of(line), identity(line))
                for chunk in declared.chunks
                for line in chunk.lines
            }
            left = {
                (key_of(line), name)
                for lines in there.sent.values()
                for name, line in lines.items()
                if name.startswith("[") is (one.family is Family.METRICS)
                and key_of(line) in names_of(change.desired.rows)
            }
            assert one.stale == len(left - wanted)


@given(workspaces(), workspaces())
def test_what_was_refused_is_sent_again_until_it_is_taken(
    first: Wanted, then: Wanted
) -> None:
    site = site_with(first)
    site.remote.refuse = dict.fromkeys(KEYS, "no such feature")
    apply(make_plan(then, site), site)

    refused = make_plan(then, site)
    site.remote.refuse = {}
    apply(refused, site)
    apply(make_plan(then, site), site)

    assert not make_plan(then, site)
    check(then, site)


@given(workspaces())
def test_without_an_inventory_everything_is_sent_again_and_nothing_doubles(
    wanted: Wanted,
) -> None:
    site = site_with(wanted)
    before = {address: dict(run.sent) for address, run in site.remote.runs.items()}
    forgetful = Site(site.remote)

    plan = make_plan(wanted, forgetful)
    apply(plan, forgetful)

    sent = [
        step.address
        for work in plan.work
        for phase in work.phases
        for step in phase
        if isinstance(step, SendChunk)
    ]
    assert PROJECT.address not in sent  # the project's own list is believed
    assert len(sent) == sum(
        len(one.chunks)
        for address, those in wanted.sent.items()
        if address != PROJECT.address
        for one in those
    )
    assert {address: run.sent for address, run in site.remote.runs.items()} == before
    assert not make_plan(wanted, forgetful)
