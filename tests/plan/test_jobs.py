"""Names of imports and batches."""

import pytest

from reconciler.plan.jobs import (
    LabelJob,
    batch_name,
    label_job,
    parse_label_job,
    run_job,
)
from reconciler.state.uploads import Family, Slot

DIGEST = "0123456789abcdef" + "0" * 48


def test_an_import_of_labels_says_slot_content_and_generation() -> None:
    name = label_job(Slot(3, 8), DIGEST, 2)

    assert name == "reconciler labels 3of8 0123456789abcdef 2"
    job = parse_label_job(name)
    assert job == LabelJob(Slot(3, 8), "0123456789abcdef", 2)
    assert job.holds(DIGEST)
    assert not job.holds("1" * 64)


def test_an_import_into_a_run_says_its_lineage_and_family_too() -> None:
    name = run_job("0a1b2c3d", Family.METRICS, Slot(0, 1), DIGEST, 1)

    assert name == "reconciler 0a1b2c3d metrics 0of1 0123456789abcdef 1"


@pytest.mark.parametrize(
    "name",
    [
        "my import",
        "reconciler labels 3of8 0123456789abcdef 2 again",
        "reconciler labels 3of8 0123456789ABCDEF 2",
        "reconciler 0a1b2c3d metrics 0of1 0123456789abcdef 1",
    ],
)
def test_names_that_others_gave_are_not_read(name: str) -> None:
    assert parse_label_job(name) is None


def test_a_batch_is_named_after_its_rows() -> None:
    # printf 'a\nb\n' | sha256sum
    assert batch_name(Slot(1, 2), ["a", "b"], 1) == "reconciler 1of2 911169ddaaf146af"
    assert batch_name(Slot(1, 2), ["a"], 1) != batch_name(Slot(1, 2), ["a", "b"], 1)
    assert batch_name(Slot(1, 2), ["a", "b"], 2).endswith(" 2")
