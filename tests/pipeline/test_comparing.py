"""Labels of runs, read and compared with what they should be."""

from collections.abc import Mapping
from dataclasses import replace

from reconciler.pipeline.comparing import compare_all_labels
from reconciler.plan.jobs import label_job
from reconciler.plan.labels import LabelsFound
from reconciler.state.address import Address, RemoteId, project_address
from reconciler.state.inventory import Inventory
from reconciler.state.labels import ContentHash, LabelPins, PinnedLabel
from reconciler.state.resources import Project, Run, Split
from reconciler.state.snapshot import JobState
from reconciler.state.uploads import Chunk, Family, Slot, Uploaded, Uploads
from tests.support.fakes import FakeProject, FakeRemote
from tests.support.values import (
    ONTOLOGY,
    RUN,
    box_line,
    desired,
    run,
    said_by,
    uploads,
)

PROJECT = project_address("truth")
HERE = RemoteId("org")
NEW = {key: [box_line(key, 1)] for key in "ab"}
OLD = {key: [box_line(key)] for key in "ab"}


def locked(
    lines: Mapping[str, list[bytes]], *, project: Address | None = PROJECT
) -> LabelPins:
    return LabelPins(
        project=project,
        organisation=HERE,
        labels={
            key: PinnedLabel(key, ContentHash(said_by(lines[key])), RemoteId("label"))
            for key in lines
        },
        digest="sha256:lock",
        name="truth.lock",
    )


def remote_with(lines: Mapping[str, list[bytes]]) -> FakeRemote:
    """Have a project whose labels say that."""
    remote = FakeRemote()
    project = FakeProject(RemoteId("project-1"), "IMAGE")
    for key, those in lines.items():
        project.sent[f"id-of-{key}"] = {str(n): one for n, one in enumerate(those)}
    remote.projects[PROJECT] = project
    return remote


def imported(remote: FakeRemote, chunk: Chunk) -> None:
    """Have the project list an import, whatever became of its labels since."""
    name = label_job(chunk.slot, chunk.digest, 1)
    remote.projects[PROJECT].imports[name] = JobState.FINISHED


def compare(
    wanted: Run,
    remote: FakeRemote,
    *sent: Uploads,
    inventory: Inventory | None = None,
    organisation: RemoteId = HERE,
) -> LabelsFound:
    declared = desired(Project("truth", ONTOLOGY.address, labels=()), wanted)
    found = compare_all_labels(
        declared,
        remote.read(declared),
        remote,
        uploads={PROJECT: sent},
        inventory=inventory or Inventory(),
        organisation=organisation,
    )
    return found[RUN]


def test_a_lock_of_more_rows_than_the_run_has_pins_those_it_has() -> None:
    wanted = replace(run(rows={"a": Split.TEST}), labels=locked(OLD))

    found = compare(wanted, remote_with(OLD))

    assert [pin.row for pin in found.change.added] == ["a"]


def test_ids_lead_to_labels_in_the_organisation_of_the_key_alone() -> None:
    wanted = replace(run(), labels=locked(OLD, project=None))

    assert compare(wanted, remote_with({})).blocked == ()
    (blocked,) = compare(
        wanted, remote_with({}), organisation=RemoteId("another")
    ).blocked
    assert blocked.code == "label-unavailable"


def test_declared_labels_that_the_plan_sends_are_to_be_had() -> None:
    wanted = replace(run(), labels=locked(NEW))

    found = compare(wanted, remote_with(OLD), uploads(Family.LABELS, NEW))

    assert (found.blocked, found.notices) == ((), ())


def test_declared_labels_that_were_sent_long_ago_are_not_taken_for_there() -> None:
    truth = uploads(Family.LABELS, NEW)
    (chunk,) = truth.chunks
    remote = remote_with(OLD)
    imported(remote, chunk)
    wanted = replace(run(), labels=locked(NEW))
    known = Uploaded(
        digest=chunk.digest, generation=1, finished=True, parent=RemoteId("project-1")
    )
    inventory = Inventory(uploads={(PROJECT, Family.LABELS): {Slot(0, 1): known}})

    found = compare(wanted, remote, truth, inventory=inventory)

    assert [one.code for one in found.blocked] == ["label-unavailable"]
    assert [one.code for one in found.notices] == ["labels-changed-upstream"]


def test_only_what_a_sent_slot_holds_is_on_its_way() -> None:
    truth = uploads(Family.LABELS, {"a": OLD["a"], "b": NEW["b"]}, slots=4)
    remote = remote_with({"b": OLD["b"]})
    for chunk in truth.chunks:
        if "a" in chunk.names:
            imported(remote, chunk)
    wanted = replace(run(), labels=locked({"a": OLD["a"], "b": NEW["b"]}))

    (blocked,) = compare(wanted, remote, truth).blocked

    assert "1 pinned label can't be had, such as that of 'a'" in blocked.message
