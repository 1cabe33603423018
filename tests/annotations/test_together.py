"""Lines that are right on their own, side by side."""

import json
from collections.abc import Collection, Mapping, Sequence

from reconciler.annotations.checked import Annotation, Checked, MetricKey, Refused
from reconciler.annotations.rows import RowName
from reconciler.annotations.rules import Rules
from reconciler.annotations.together import refuse_together
from tests.annotations.fitting import checker

FIRST = "00000000-0000-4000-8000-000000000001"
SECOND = "00000000-0000-4000-8000-000000000002"
THIRD = "00000000-0000-4000-8000-000000000003"


def metric(name: str | None, feature: str | None = None, row: str = "gk") -> Checked:
    return read(
        {
            "dataRow": {"globalKey": row},
            "metricName": name,
            "featureName": feature,
            "metricValue": 1,
        }
    )


def point(uuid: str | None = None, row: str = "gk", name: str = "pt") -> Checked:
    body = {"x": 1, "y": 1}
    return read(
        {"uuid": uuid, "dataRow": {"globalKey": row}, "name": name, "point": body}
    )


def relation(source: str | None, target: str, uuid: str | None = None) -> Checked:
    ends = {"source": source, "target": target}
    if source is None:
        ends["sourceOntologyName"] = "cat"
    return read(
        {
            "uuid": uuid,
            "dataRow": {"globalKey": "gk"},
            "name": "rel",
            "relationship": ends,
        }
    )


def read(row: object) -> Checked:
    found = checker().read(json.dumps(row).encode())
    assert not isinstance(found, Refused), found
    return found


def together(
    checked: Sequence[Checked],
    rules: Rules | None = None,
    known_uuids: Mapping[str, Collection[str]] | None = None,
    known_metrics: Mapping[str, Collection[MetricKey]] | None = None,
) -> list[str]:
    """Say what became of each line: taken, or the messages of its refusal."""

    def row_of(name: RowName) -> str:
        return name.id or name.global_key or ""

    done = refuse_together(
        checked,
        rules or Rules(),
        row_of=row_of,
        known_uuids=known_uuids or {},
        known_metrics=known_metrics or {},
    )
    for before, after in zip(checked, done, strict=True):
        assert after is before or isinstance(after, Refused)
    return [
        "; ".join(problem.message for problem in one.problems)
        if isinstance(one, Refused)
        else "taken"
        for one in done
    ]


def test_a_data_row_has_twenty_metrics_at_most() -> None:
    lines = [metric(f"m{n}") for n in range(21)]

    assert together([*lines, metric("m0", row="other")]) == [
        *["taken"] * 20,
        "a data row takes 20 metrics; this would be one more",
        "taken",
    ]


def test_metrics_that_are_there_count_unless_they_are_replaced() -> None:
    rules = Rules(metrics_per_row=2)
    known = {"gk": [MetricKey("a", None, None), MetricKey("b", "cat", None)]}

    found = together(
        [metric("a"), metric("b", "cat"), metric("b"), metric("c")],
        rules,
        known_metrics=known,
    )

    assert found == [
        *["taken"] * 3,
        "a data row takes 2 metrics; this would be one more",
    ]


def test_each_feature_of_a_metric_counts_when_identities_do() -> None:
    rules = Rules(metrics_per_row=2, metrics_counted="identities")
    lines = [metric("a"), metric("a"), metric("a", "cat"), metric("a", "pt")]

    assert together(lines, rules) == [
        *["taken"] * 3,
        "a data row takes 2 metrics; this would be one more",
    ]


def test_a_metric_without_a_name_counts_as_one() -> None:
    rules = Rules(metrics_per_row=1)

    assert together([metric(None), metric(None), metric("a")], rules) == [
        "taken",
        "taken",
        "a data row takes 1 metrics; this would be one more",
    ]


def test_a_data_row_has_so_many_annotations_of_a_feature_at_most() -> None:
    rules = Rules(annotations_per_feature=2)
    lines = [
        *(point(uuid) for uuid in (FIRST, SECOND, THIRD)),
        point(row="other"),
        relation(FIRST, SECOND),
    ]

    assert together(lines, rules) == [
        "taken",
        "taken",
        "the import has more than 2 annotations of 'pt' for this data row",
        "taken",
        "taken",
    ]


def test_a_relationship_may_come_before_what_it_relates() -> None:
    lines = [relation(FIRST, SECOND), point(FIRST), point(SECOND)]

    assert together(lines) == ["taken"] * 3


def test_a_relationship_may_relate_what_is_there_already() -> None:
    known = {"gk": {FIRST}, "other": {SECOND}}

    assert together([relation(FIRST, FIRST)], known_uuids=known) == ["taken"]
    assert together([relation(None, FIRST)], known_uuids=known) == ["taken"]
    assert together([relation(FIRST, SECOND)], known_uuids=known) == [
        f"relationship.target is {SECOND}; neither this import nor the data row has "
        "such an annotation"
    ]


def test_a_relationship_stays_within_one_data_row() -> None:
    lines = [relation(FIRST, SECOND), point(FIRST), point(SECOND, row="other")]

    (refused, *others) = together(lines)

    assert refused.startswith(f"relationship.target is {SECOND}")
    assert others == ["taken"] * 2


def test_a_relationship_needs_both_ends_taken_and_no_relationship() -> None:
    rules = Rules(annotations_per_feature=1)
    lines = [
        relation(FIRST, SECOND, uuid=THIRD),
        point(FIRST),
        point(SECOND),
    ]
    assert together(lines, rules)[0].startswith(f"relationship.target is {SECOND}")

    linked = together([relation(THIRD, FIRST, uuid=THIRD), point(FIRST)])
    assert linked[0].startswith(f"relationship.source is {THIRD}")
    both = together([relation(FIRST, SECOND)])
    assert [both[0].count(end) for end in (FIRST, SECOND)] == [1, 1]


def test_a_refusal_stays_and_keeps_its_owner() -> None:
    before = Refused("u", RowName(id="r"), ())
    rules = Rules(annotations_per_feature=0)

    kept, refused = refuse_together(
        [before, point(FIRST)],
        rules,
        row_of=lambda name: name.global_key,
        known_uuids={},
        known_metrics={},
    )

    assert kept is before
    assert isinstance(refused, Refused)
    assert (refused.uuid, refused.row) == (FIRST, RowName(global_key="gk"))


def test_a_repeated_uuid_is_no_fault() -> None:
    lines = [point(FIRST), point(FIRST)]

    assert together(lines) == ["taken"] * 2
    assert all(isinstance(one, Annotation) for one in lines)
