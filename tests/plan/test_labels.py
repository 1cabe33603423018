"""Which labels a run is given, and what holds them back."""

from collections.abc import Iterable

import pytest

from reconciler.plan.labels import LabelsFound, compare_labels
from reconciler.state.address import RemoteId, project_address
from reconciler.state.labels import (
    ContentHash,
    CurrentLabel,
    LabelIds,
    LabelPins,
    PinnedLabel,
    is_as_pinned,
)
from tests.support.values import RUN

PROJECT = project_address("truth")
HERE = RemoteId("org")


def says(text: str) -> ContentHash:
    return ContentHash(f"sha256:{text}")


def label(row: str, text: str, *, changed: str | None = None) -> CurrentLabel:
    return CurrentLabel(
        f"id-of-{row}", row, RemoteId(f"{row}-{text}"), says(text), changed
    )


def pins(*, project: bool = True, changed: str | None = None, **rows: str) -> LabelPins:
    return LabelPins(
        project=PROJECT if project else None,
        organisation=HERE,
        labels={
            row: PinnedLabel(row, says(text), RemoteId(f"{row}-{text}"), changed)
            for row, text in rows.items()
        },
        digest="sha256:lock",
        name="truth.lock",
    )


def compare(
    wanted: LabelPins | LabelIds,
    *current: CurrentLabel,
    upstream: Iterable[CurrentLabel] | None = None,
    members: tuple[str, ...] | None = ("a", "b", "c"),
    coming: dict[str, ContentHash] | None = None,
    organisation: RemoteId = HERE,
) -> LabelsFound:
    return compare_labels(
        wanted,
        address=RUN,
        current=current,
        members=members,
        upstream=None if upstream is None else list(upstream),
        coming=coming or {},
        organisation=organisation,
    )


def rows(those: Iterable[PinnedLabel]) -> list[str]:
    return [one.row for one in those]


UPSTREAM = [label("a", "1"), label("b", "1"), label("c", "1")]


def test_labels_are_added_replaced_and_kept_by_what_they_say() -> None:
    found = compare(
        pins(c="1", b="1", a="1"), label("b", "2"), label("c", "1"), upstream=UPSTREAM
    )

    assert rows(found.change.added) == ["a"]
    assert rows(found.change.replaced) == ["b"]
    assert found.change.kept == 1
    assert found.change.project == PROJECT
    assert found.notices == ()
    assert found.blocked == ()


def test_another_id_of_the_same_content_is_the_same_label() -> None:
    there = CurrentLabel("id-of-a", "a", RemoteId("other"), says("1"))

    assert not compare(pins(a="1"), there, members=("a",), upstream=[there]).change


def test_a_lock_may_pin_rows_that_a_run_does_not_have() -> None:
    found = compare(pins(a="1", z="1"), members=("a",), upstream=[label("a", "1")])

    assert rows(found.change.added) == ["a"]
    assert found.blocked == ()


def test_where_rows_are_not_managed_every_pin_counts() -> None:
    upstream = [label("a", "1"), label("z", "1")]

    found = compare(pins(a="1", z="1"), members=None, upstream=upstream)

    assert rows(found.change.added) == ["a", "z"]


def test_a_label_with_masks_is_another_one_when_it_changed_since() -> None:
    locked = pins(a="1", changed="2026-01-01")

    def change(changed: str | None) -> bool:
        there = label("a", "1", changed=changed)
        return bool(compare(locked, there, members=("a",)).change)

    assert change("2026-02-01")
    assert not change("2026-01-01")
    assert not change(None)


def test_a_label_that_no_longer_says_what_was_locked_is_blocked() -> None:
    found = compare(pins(a="1"), members=("a",), upstream=[label("a", "2")])

    (blocked,) = found.blocked
    assert blocked.code == "label-unavailable"
    assert "'a'" in blocked.message
    assert blocked.allow.startswith("reconciler lock --update run/digits/svm")


def test_a_label_that_the_same_plan_brings_is_to_be_had() -> None:
    found = compare(pins(a="1"), members=("a",), upstream=[], coming={"a": says("1")})

    assert found.change
    assert found.blocked == ()
    assert found.notices == ()


def test_a_label_that_the_same_plan_replaces_is_not_to_be_had() -> None:
    found = compare(
        pins(a="1", b="1"),
        members=("a", "b"),
        upstream=[label("a", "1"), label("b", "1")],
        coming={"a": says("2"), "b": says("1")},
    )

    (blocked,) = found.blocked
    assert blocked.code == "label-unavailable"
    assert "that of 'a': the same plan replaces it in project/truth" in blocked.message
    assert blocked.allow.startswith("apply project/truth alone, then reconciler lock")


def test_a_mask_that_the_same_plan_draws_anew_is_not_to_be_had() -> None:
    locked = pins(a="1", changed="2026-01-01")

    def blocked(there: CurrentLabel) -> bool:
        coming = {"a": says("1")}
        found = compare(locked, members=("a",), upstream=[there], coming=coming)
        return bool(found.blocked)

    elsewhere = label("a", "2")._replace(label_id=RemoteId("other"))
    assert blocked(label("a", "2")._replace(label_id=RemoteId("a-1")))
    assert not blocked(elsewhere)
    assert not blocked(label("a", "1", changed="2026-01-01"))
    assert blocked(label("a", "1", changed="2026-02-01"))


def test_a_label_without_masks_that_the_same_plan_mends_is_to_be_had() -> None:
    there = label("a", "2")._replace(label_id=RemoteId("a-1"))

    found = compare(
        pins(a="1"), members=("a",), upstream=[there], coming={"a": says("1")}
    )

    assert found.blocked == ()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [("2026-01-01", True), ("2026-02-01", False), (None, True)],
)
def test_the_time_of_a_change_tells_of_the_pinned_label_itself(
    changed: str | None, expected: bool
) -> None:
    pin = PinnedLabel("a", says("1"), RemoteId("a-1"), "2026-01-01")
    there = label("a", "1", changed=changed)

    assert is_as_pinned(there, pin) is expected
    assert is_as_pinned(there, pin._replace(changed=None))
    assert is_as_pinned(there, pin._replace(label_id=RemoteId("elsewhere")))
    assert not is_as_pinned(there._replace(content=says("2")), pin)


def test_labels_that_are_there_already_need_not_be_to_be_had() -> None:
    found = compare(pins(a="1"), label("a", "1"), members=("a",), upstream=[])

    assert found.blocked == ()
    assert [one.code for one in found.notices] == ["labels-changed-upstream"]


def test_without_a_project_ids_lead_to_labels_in_their_own_organisation() -> None:
    locked = pins(project=False, a="1")

    assert compare(locked, members=("a",)).blocked == ()
    (blocked,) = compare(locked, members=("a",), organisation=RemoteId("x")).blocked
    assert blocked.code == "label-unavailable"


def test_what_changed_upstream_since_the_lock_is_a_notice_and_no_change() -> None:
    found = compare(
        pins(a="1", b="1"),
        label("a", "1"),
        label("b", "1"),
        upstream=[label("a", "2"), label("b", "1"), label("c", "1")],
    )

    (notice,) = found.notices
    assert not found.change
    assert notice.code == "labels-changed-upstream"
    assert "1 label changed or vanished, such as that of 'a'" in notice.message
    assert "1 more row has one, such as 'c'" in notice.message


def test_one_of_several_labels_of_a_row_is_enough() -> None:
    upstream = [label("a", "2"), label("a", "1")]

    found = compare(pins(a="1"), members=("a",), upstream=upstream)

    assert (found.notices, found.blocked) == ((), ())


def test_a_label_too_many_is_a_notice_for_pins() -> None:
    found = compare(pins(a="1"), label("a", "1"), label("b", "1"))

    assert found.change.surplus == 1
    assert [one.code for one in found.notices] == ["labels-surplus"]
    assert found.blocked == ()


def test_a_label_too_many_of_a_row_that_leaves_is_no_matter() -> None:
    assert compare(pins(), label("a", "1"), members=()).notices == ()


def test_labels_wanted_by_id_are_added_as_far_as_they_are_not_there() -> None:
    wanted = LabelIds(frozenset(map(RemoteId, ["a-1", "c-1", "b-1"])))

    found = compare(wanted, label("a", "1"))

    assert found.change.ids == ("b-1", "c-1")
    assert found.change.kept == 1
    assert found.blocked == ()


def test_labels_that_nobody_wants_are_blocked_where_labels_go_by_id() -> None:
    found = compare(LabelIds(frozenset()), label("a", "1"))

    assert [one.code for one in found.blocked] == ["labels-not-removable"]


def test_a_label_that_another_may_replace_is_not_blocked() -> None:
    wanted = LabelIds(frozenset({RemoteId("a-2")}))

    assert compare(wanted, label("a", "1")).blocked == ()
    assert compare(wanted, label("a", "1"), label("b", "1")).blocked != ()


def test_a_label_of_a_row_that_should_leave_is_blocked_and_never_added_again() -> None:
    wanted = LabelIds(frozenset({RemoteId("a-1"), RemoteId("z-1")}))

    found = compare(wanted, label("a", "1"), label("z", "1"))

    assert not found.change
    assert found.change.kept == 1
    (blocked,) = found.blocked
    assert blocked.code == "label-outside-rows"
    assert "1 declared label is of data rows that the run should not have" in (
        blocked.message
    )
    assert "z-1 of 'z'" in blocked.message
    assert "rows" in blocked.allow
    assert "labelIds" in blocked.allow


def test_the_labels_of_a_run_have_a_digest_in_any_order() -> None:
    digests = {
        compare(pins(), *labels).change.before
        for labels in (UPSTREAM, UPSTREAM[::-1], UPSTREAM[:2])
    }

    assert len(digests) == 2
