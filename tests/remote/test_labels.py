"""Labels by what they say: which are there, and which are meant."""

from typing import Any

import pytest

from reconciler.api import documents
from reconciler.plan.steps import AddLabels
from reconciler.ports import Incomplete, Malformed, Stale, Unauthorized
from reconciler.remote.labelbox import Labelbox
from reconciler.state.address import RemoteId, project_address
from reconciler.state.labels import ContentHash, CurrentLabel, PinnedLabel
from tests.remote.exported import exporting, lines
from tests.remote.said import IDS, RUN
from tests.remote.wire import Wire, refusal

PROJECT = project_address("digits")
KNOWN = {**IDS, PROJECT: RemoteId("p1")}
MASK = {"name": "cat", "annotation_kind": "ImageSegmentationMask"}


def box(left: float = 1) -> dict[str, Any]:
    return {
        "name": "cat",
        "annotation_kind": "ImageBoundingBox",
        "bounding_box": {"top": 1, "left": left, "height": 3, "width": 4},
    }


def mask(url: str = "https://m.test/1") -> dict[str, Any]:
    return {**MASK, "mask": {"url": url}}


def label(label_id: str, *objects: Any, **details: Any) -> dict[str, Any]:
    told = {
        "id": label_id,
        "label_kind": "Default",
        "annotations": {
            "objects": list(objects),
            "classifications": [],
            "relationships": [],
        },
    }
    return told | ({"label_details": details} if details else {})


def in_run(row: str, *labels: Any) -> dict[str, Any]:
    run = {"labels": labels}
    return {
        "data_row": {"id": row, "global_key": f"key-{row}"},
        "experiments": {"m1": {"runs": {"r1": run}}},
    }


def in_project(row: str, *labels: Any) -> dict[str, Any]:
    return {
        "data_row": {"id": row, "global_key": f"key-{row}"},
        "projects": {"p1": {"labels": labels}, "p2": {"labels": [label("other")]}},
    }


def of_run(*told: Any) -> dict[str, CurrentLabel]:
    wire = Wire()
    exporting(wire, lines(*told))
    return {one.row_id: one for one in wire.labelbox().read_labels(RemoteId("r1"))}


def of_project(*told: Any) -> dict[str, CurrentLabel]:
    wire = Wire()
    exporting(wire, lines(*told))
    found = wire.labelbox().read_project_labels(RemoteId("p1"))
    return {one.label_id: one for one in found}


def test_the_label_of_a_row_is_told_by_what_it_says() -> None:
    found = of_run(
        in_run("1", label("l1", box())), in_run("2"), in_run("3", label("l3", box(9)))
    )

    assert sorted(found) == ["1", "3"]
    assert found["1"] == CurrentLabel(
        "1", "key-1", RemoteId("l1"), found["1"].content, None, benchmark=False
    )
    assert found["1"].content.startswith("sha256:")
    assert found["1"].content != found["3"].content


def test_only_the_labels_of_the_project_count_and_a_row_may_have_several() -> None:
    found = of_project(in_project("1", label("l1", box()), label("l2", box())))

    assert sorted(found) == ["l1", "l2"]
    assert found["l1"].content == found["l2"].content


def test_when_a_label_changed_is_told_of_masks_only() -> None:
    at = {"content_last_updated_at": "2030-01-01T00:00:00.000+00:00"}

    found = of_project(
        in_project("1", label("l1", box(), **at), label("l2", mask(), **at)),
        in_project("2", label("l3", mask())),
    )

    assert found["l1"].changed is None
    assert found["l2"].changed == at["content_last_updated_at"]
    assert found["l3"].changed is None


def test_masks_say_the_same_wherever_they_are_kept() -> None:
    found = of_project(
        in_project("1", label("l1", mask()), label("l2", mask("https://m.test/2")))
    )

    assert found["l1"].content == found["l2"].content


def test_a_benchmark_is_told_where_the_export_says_so() -> None:
    found = of_project(
        in_project(
            "1", label("l1", is_benchmark_reference=True), label("l2", reviews=[])
        )
    )

    assert found["l1"].benchmark
    assert not found["l2"].benchmark


def test_a_row_with_several_labels_in_a_run_is_malformed() -> None:
    with pytest.raises(Malformed, match="has 2 labels in run r1"):
        of_run(in_run("1", label("l1"), label("l2")))


def test_a_label_without_an_id_is_malformed() -> None:
    with pytest.raises(Malformed, match="a label of data row 1 has no id"):
        of_run(in_run("1", {"annotations": {}}))


def test_a_label_that_cannot_be_read_is_told_not_left_out() -> None:
    riddle = {"name": "cat", "annotation_kind": "Riddle", "riddle": 1}

    with pytest.raises(Malformed, match="label l1 of data row 1 can't be read"):
        of_run(in_run("1", label("l1", riddle)))


def test_labels_that_come_twice_make_a_read_incomplete() -> None:
    with pytest.raises(Incomplete, match="labels of run r1 shifted"):
        of_run(in_run("1", label("l1")), in_run("1", label("l1")))
    with pytest.raises(Incomplete, match="labels of project p1 shifted"):
        of_project(in_project("1", label("l1")), in_project("2", label("l1")))


def test_labels_are_never_guessed_where_exports_are_refused() -> None:
    wire = Wire()
    exporting(wire)
    wire.on(documents.EXPORT_RUN, refusal("no", "AUTHORIZATION_ERROR"))

    with pytest.raises(Unauthorized):
        wire.labelbox().read_labels(RemoteId("r1"))


def content_of(*objects: Any) -> ContentHash:
    return of_project(in_project("0", label("l", *objects)))["l"].content


def adding(labelbox: Labelbox, *pins: PinnedLabel) -> None:
    labelbox.perform(AddLabels(RUN, PROJECT, pins), ids=KNOWN)


def having(*told: Any) -> Wire:
    wire = Wire()
    exporting(wire, lines(*told))
    wire.on(documents.ADD_LABELS, {documents.ADD_LABELS.root: "t2"})
    done = {"status": "COMPLETE", "errorMessage": None}
    wire.on(documents.ADD_LABELS_STATUS, {documents.ADD_LABELS_STATUS.root: done})
    return wire


def added(wire: Wire) -> list[str]:
    return [
        one
        for given in wire.variables(documents.ADD_LABELS)
        for one in given["labelIds"]
    ]


@pytest.mark.parametrize(
    ("hint", "chosen"), [("l2", "l2"), ("l3", "l1"), ("l9", "l1"), (None, "l1")]
)
def test_of_several_labels_that_fit_the_hinted_one_is_taken(
    hint: str | None, chosen: str
) -> None:
    labels = label("l2", box()), label("l1", box()), label("l3", box(7))
    wire = having(in_project("1", *labels))

    pin = PinnedLabel("key-1", content_of(box()), RemoteId(hint) if hint else None)
    adding(wire.labelbox(), pin)

    assert added(wire) == [chosen]


def test_a_benchmark_goes_before_labels_that_say_the_same() -> None:
    best = label("l9", box(), is_benchmark_reference=True)
    wire = having(in_project("1", label("l1", box()), best))

    adding(wire.labelbox(), PinnedLabel("key-1", content_of(box())))

    assert added(wire) == ["l9"]


def test_the_same_label_of_another_row_is_none_of_this_row() -> None:
    wire = having(in_project("2", label("l2", box())))

    with pytest.raises(Stale):
        adding(wire.labelbox(), PinnedLabel("key-1", content_of(box())))

    assert added(wire) == []


def test_a_mask_that_was_drawn_anew_is_stale_and_a_copy_elsewhere_is_not() -> None:
    wire = having(in_project("1", label("l1", mask(), content_last_updated_at="new")))
    content = content_of(mask())
    pinned = PinnedLabel("key-1", content, RemoteId("l1"), "old")

    with pytest.raises(Stale):
        adding(wire.labelbox(), pinned)
    adding(wire.labelbox(), pinned._replace(label_id=RemoteId("elsewhere")))
    adding(wire.labelbox(), pinned._replace(changed=None))
    adding(wire.labelbox(), pinned._replace(changed="new"))

    assert added(wire) == ["l1"] * 3


def test_a_mask_whose_times_are_not_told_is_as_pinned() -> None:
    wire = having(in_project("1", label("l1", mask())))

    adding(
        wire.labelbox(),
        PinnedLabel("key-1", content_of(mask()), RemoteId("l1"), "old"),
    )

    assert added(wire) == ["l1"]


def test_a_label_that_shows_late_is_waited_for() -> None:
    wire = having(in_project("1"))
    labelbox = wire.labelbox()
    assert labelbox.read_project_labels(RemoteId("p1")) == ()
    exporting(wire, lines(in_project("1", label("l1", box()))))

    adding(labelbox, PinnedLabel("key-1", content_of(box())))

    assert added(wire) == ["l1"]


def test_what_was_read_long_ago_is_read_again_before_labels_are_added() -> None:
    wire = having(in_project("1", label("l1", box())))
    labelbox = wire.labelbox()
    labelbox.read_project_labels(RemoteId("p1"))
    exporting(wire, lines(in_project("1", label("l2", box()))))
    wire.clock.time += 61

    adding(labelbox, PinnedLabel("key-1", content_of(box())))

    assert added(wire) == ["l2"]


def test_labels_read_a_moment_ago_serve_several_runs() -> None:
    wire = having(in_project("1", label("l1", box())))
    labelbox = wire.labelbox()
    pin = PinnedLabel("key-1", content_of(box()))

    adding(labelbox, pin)
    adding(labelbox, pin)

    assert wire.count(documents.EXPORT_PROJECT) == 1


def test_more_missing_labels_than_a_few_are_counted() -> None:
    wire = having()
    pins = [PinnedLabel(f"key-{n}", content_of(box())) for n in range(5)]

    with pytest.raises(Stale, match=r"5 labels of 5 labels .*: key-0, key-1, key-2, …"):
        adding(wire.labelbox(), *pins)


def test_labels_are_added_in_halves_when_there_are_too_many() -> None:
    wire = having()

    def send(given: dict[str, Any]) -> Any:
        if len(given["labelIds"]) > 150:
            return refusal("at most 150 labels")
        return {documents.ADD_LABELS.root: "t2"}

    wire.on(documents.ADD_LABELS, send)
    pins = tuple(
        PinnedLabel(f"k{n}", ContentHash("sha256:0"), RemoteId(f"l{n:03}"))
        for n in range(300)
    )

    wire.labelbox().perform(AddLabels(RUN, None, pins), ids=KNOWN)

    sizes = [len(given["labelIds"]) for given in wire.variables(documents.ADD_LABELS)]
    assert sizes == [300, 150, 150]
