"""What two runs share if they are the same, and what tells them apart."""

import pytest

from reconciler.annotations.digests import (
    Facts,
    Part,
    RowDifference,
    RowFacts,
    Side,
    differing_rows,
)
from reconciler.state.resources import RunStatus, Split, Status

ALL = frozenset(Part)


def facts(**more: object) -> Facts:
    said = {
        "said": ALL,
        "config": {"lr": 0.1},
        "ontology": {"mediaType": "IMAGE", "schema": {}},
        "status": RunStatus(Status.COMPLETE, {"epochs": 3}, None),
        "rows": {
            "a": RowFacts(Split.TRAINING, "sha256:l", "sha256:p", "sha256:m"),
            "b": RowFacts(Split.TEST),
        },
    }
    return Facts(**{**said, **more})  # type: ignore[arg-type]  # fields by name


def test_the_order_of_rows_has_no_say() -> None:
    rows = dict(facts().rows)
    turned = dict(reversed(list(rows.items())))

    assert facts(rows=turned).digests() == facts(rows=rows).digests()


def test_digests_stay_what_they_are() -> None:
    digests = facts().digests()

    # Of `{"lr":0.1}`, of `a<TAB>TRAINING<NEWLINE>b<TAB>TEST<NEWLINE>`, and so on.
    assert {part: one.removeprefix("sha256:") for part, one in digests.items()} == {
        Part.CONFIG: "9c9ba942d8bb6213cd855c3e8ddfeb6640a23616f11f4da3d8e77555902a6107",
        Part.ONTOLOGY: "14319821f9b4558a9f9ecf3827f5e2247e94850fd0173695ed7c6a3572b447fc",
        Part.MEMBERS: "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2",
        Part.SPLITS: "58c44815b26146e0780b900caef9e7f11d7218012829cf8808b8f0f072645f35",
        Part.LABELS: "1c93d3c4188fbc83678da59a4136b4948f392f1a5353142eec2e8ca9ff702134",
        Part.PREDICTIONS: "5a75fce8aeebc50151697878bc52093e6a4eac68c40c9efd0aeeeaa8ccf91031",
        Part.METRICS: "0e38f2b83fdf925ffc5adee15ece31aedd1318607a9b8a758be56d5923fac9e0",
        Part.STATUS: "d03badb4def3a5602cf2cc17d3f61defa3d9caea5e29b09aea52e3b784fe5d32",
    }


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        ({"config": {"lr": 0.2}}, {Part.CONFIG}),
        ({"ontology": {"mediaType": "TEXT", "schema": {}}}, {Part.ONTOLOGY}),
        ({"status": None}, {Part.STATUS}),
        (
            {"status": RunStatus(Status.COMPLETE, {"epochs": 3}, "late")},
            {Part.STATUS},
        ),
        (
            {"rows": {**facts().rows, "c": RowFacts()}},
            {Part.MEMBERS, Part.SPLITS},
        ),
        ({"rows": {**facts().rows, "b": RowFacts(Split.TRAINING)}}, {Part.SPLITS}),
        (
            {"rows": {**facts().rows, "b": RowFacts(Split.TEST, label="sha256:l")}},
            {Part.LABELS},
        ),
        (
            {"rows": {**facts().rows, "b": RowFacts(Split.TEST, predictions="p")}},
            {Part.PREDICTIONS},
        ),
        (
            {"rows": {**facts().rows, "b": RowFacts(Split.TEST, metrics="m")}},
            {Part.METRICS},
        ),
        ({"label_ids": frozenset({"id"})}, {Part.LABELS}),
    ],
    ids=lambda given: "-".join(sorted(map(str, given))),
)
def test_each_part_has_a_digest_of_its_own(
    more: dict[str, object], parts: set[Part]
) -> None:
    one, other = facts().digests(), facts(**more).digests()

    assert {part for part in Part if one[part] != other[part]} == parts


def test_only_what_is_said_is_compared() -> None:
    declared = Facts(
        said=frozenset({Part.STATUS, Part.ONTOLOGY}),
        ontology={"mediaType": None, "schema": {}},
        status=RunStatus(Status.COMPLETE, {"epochs": 3}),
    )
    there = facts(
        status=RunStatus(Status.COMPLETE, {"epochs": 3, "host": "x"}, "slow"),
        label_ids=frozenset({"id"}),
    )

    assert there.as_said_by(declared).digests() == declared.digests()
    assert there.digests()[Part.STATUS] != declared.digests()[Part.STATUS]


def test_rows_that_differ_are_counted_and_the_first_are_named() -> None:
    one = facts(rows={f"r{n:02}": RowFacts(Split.TEST) for n in range(15)})
    other = facts(rows={f"r{n:02}": RowFacts(Split.TRAINING) for n in range(1, 15)})

    count, rows = differing_rows(one, other, [Part.MEMBERS, Part.SPLITS])

    assert count == 15
    assert rows[:2] == (
        RowDifference("r00", (Part.MEMBERS,), Side.DECLARED),
        RowDifference("r01", (Part.SPLITS,)),
    )
    assert len(rows) == 10


def test_rows_differ_only_in_what_is_asked() -> None:
    one = facts(rows={"a": RowFacts(Split.TEST, "l", "p"), "b": RowFacts()})
    other = facts(rows={"a": RowFacts(Split.TRAINING, "l", "q")})

    assert differing_rows(one, other, [Part.LABELS]) == (0, ())
    assert differing_rows(one, other, [Part.PREDICTIONS]) == (
        1,
        (RowDifference("a", (Part.PREDICTIONS,)),),
    )
