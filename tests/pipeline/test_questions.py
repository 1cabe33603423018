"""What can't be looked up beforehand, or is another's already."""

from reconciler.diagnostics import Span
from reconciler.pipeline.questions import elsewhere, unchecked_label_ids
from reconciler.plan.changes import LabelsChange
from reconciler.plan.labels import LabelsFound
from reconciler.state.address import Address, RemoteId, project_address, run_address
from reconciler.state.labels import ContentHash, PinnedLabel
from reconciler.state.resources import GlobalKey
from reconciler.state.snapshot import Current, Desired

PINS = tuple(
    PinnedLabel(key, ContentHash("sha256:" + "a" * 64), RemoteId(f"label-{key}"))
    for key in ("a", "b", "c")
)


def test_label_ids_that_are_added_are_said_to_be_unchecked() -> None:
    found = {
        run_address("m", "by-id"): LabelsFound(
            LabelsChange(project=None, ids=(RemoteId("l1"), RemoteId("l2")))
        ),
        run_address("m", "by-lock"): LabelsFound(
            LabelsChange(project=None, added=PINS[:1], replaced=PINS[1:])
        ),
        run_address("m", "by-content"): LabelsFound(
            LabelsChange(project=project_address("truth"), added=PINS)
        ),
        run_address("m", "done"): LabelsFound(LabelsChange(project=None, kept=3)),
    }

    notices = [*unchecked_label_ids(found)]

    assert {one.code for one in notices} == {"label-ids-unchecked"}
    assert [(str(one.address), one.message.partition(" to")[0]) for one in notices] == [
        ("run/m/by-id", "2 label ids"),
        ("run/m/by-lock", "3 label ids"),
    ]


def test_rows_of_another_dataset_say_what_mends_a_bundle() -> None:
    images = Address.parse("dataset/images")
    current = Current(
        resources={}, elsewhere={images: frozenset({GlobalKey("b"), GlobalKey("a")})}
    )
    desired = Desired(resources={}, origins={images: Span("a.yaml", 3)}, pins={})

    [found] = elsewhere(desired, current)

    assert found.code == "row-in-other-dataset"
    assert found.details == ("a", "b")
    assert found.hint is not None
    assert "export it with `--data-row-details`" in found.hint
