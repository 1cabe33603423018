"""What manifests say is to be sent, to slots: checked, complete, and in order.

Two passes, neither of which holds more than some of the lines. The first reads
each line on its own and puts it aside; the second takes the lines of one slot
after the other, for all that rows say together.
"""

from collections.abc import Container, Mapping, Sequence

from reconciler.annotations.features import Features
from reconciler.annotations.findings import Findings
from reconciler.annotations.intake import Intake
from reconciler.annotations.rules import Rules
from reconciler.annotations.slots import Dealer
from reconciler.rows.spool import SHARED, Room, Spool
from reconciler.state.labels import ContentHash
from reconciler.state.resources import MetricSource, RowIdentity
from reconciler.state.uploads import Family, Uploads


def prepare(
    *,
    owner: tuple[str, ...],
    sources: Mapping[Family, Sequence[MetricSource]],
    features: Features,
    media_type: str | None,
    rules: Rules,
    by: RowIdentity | None,
    members: Container[str] | None,
    per_job: int,
    room: Room = SHARED,
) -> tuple[Uploads, ...]:
    """Read, check and cut all that one object is to be sent.

    Args:
        owner: ("run", model, name) or ("project", name); goes into the uuids of
            annotations that have none, for ever.
        sources: Where the lines of each family are that is declared: labels
            alone, or predictions and metrics. Metrics among the predictions
            belong to the metrics.
        features: What the ontology has.
        media_type: What the data is, as the API spells it; None if unknown.
        rules: Limits.
        by: How lines must name their rows; None takes either, if all do alike.
        members: The data rows that lines may be for; None takes any.
        per_job: How many lines a slot should have at most: there are as many
            slots as the smallest power of two that makes room for all lines,
            so that some have more.
        room: How much memory lines may take.

    Returns:
        One for each family that is declared, also where it has no lines, and one
        for metrics that came with the predictions.

    Raises:
        InputError: With all problems, bounded as `rows.problems.Problems` does.
        OSError: When lines can't be put aside.
    """
    declared = [family for family in Family if family in sources]
    findings = Findings([one for family in declared for one in sources[family]])
    intake = Intake(
        features=features,
        media_type=media_type,
        rules=rules,
        by=by,
        members=members,
        whose="the run" if owner[0] == "run" else "the project's dataset",
        findings=findings,
        room=room,
    )
    for family in declared:
        intake.read(family, sources[family])
    relate = not findings  # an end may be a line that was refused
    made = []
    for family, pile in intake.piles():
        dealer = Dealer(
            owner=owner,
            family=family,
            of=_slots(pile.count, per_job),
            rules=rules,
            features=features,
            used=intake.used,
            lines=Spool(room),
            findings=findings,
            relate=relate,
        )
        contents: dict[str, ContentHash] = {}
        chunks = tuple(dealer.chunks(pile.spool, contents))
        dealer.lines.settle()
        made.append(
            Uploads(
                family=family,
                by=intake.by or RowIdentity.GLOBAL_KEY,
                slots=dealer.of,
                chunks=chunks,
                contents=contents if family is Family.LABELS else None,
            )
        )
    findings.raise_if_any()
    return tuple(made)


def _slots(lines: int, per_job: int) -> int:
    of = 1
    while of * per_job < lines:
        of *= 2
    return of
