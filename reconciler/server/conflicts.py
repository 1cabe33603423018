"""Annotations that come to a data row, and those that it has."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import inf
from typing import Final, NamedTuple, TypeAlias

from reconciler.annotations.features import Feature, Features
from reconciler.annotations.rows import Row, answers_of, decode, schema_id_of
from reconciler.server.carrying import ANSWERS, only
from reconciler.server.lines import Line, Merge, body_of, uuid_of

Span: TypeAlias = tuple[float, float]
"""Frames from the first to the last."""

EVERYWHERE: Final[Span] = (-inf, inf)


class _Answered(NamedTuple):
    """What a line answers: a question, about the row or about one message."""

    question: Feature
    message: str | None


def conflicting(target: Features, *, override: bool) -> Merge:
    """Make the way in which annotations come to those that a row has.

    Two conflict that have one uuid, or answer the same question about the same:
    the row or one message of it, on frames of which at least one is common. An
    answer without frames holds on all of them.

    Args:
        target: The ontology of both.
        override: Whether the new ones win.
    """

    def merge(old: Sequence[Line], new: Sequence[Line]) -> list[Line]:
        winners, others = (new, old) if override else (old, new)
        uuids = set(map(uuid_of, winners))
        spans: dict[_Answered, list[Span]] = {}
        for line in winners:
            if answered := _answered(line, target):
                spans.setdefault(answered[0], []).extend(answered[1])
        taken = {what: _united(found) for what, found in spans.items()}

        def is_free(line: Line) -> bool:
            if uuid_of(line) in uuids:
                return False
            match _answered(line, target):
                case (what, where):
                    return not _meet(taken.get(what, ()), where)
                case None:
                    return True

        left = [line for line in others if is_free(line)]
        return [*left, *winners] if override else [*winners, *left]

    return merge


def _answered(line: Line, target: Features) -> tuple[_Answered, list[Span]] | None:
    if not any(key in line for key in ANSWERS):
        return None
    row = decode(body_of(line).encode())
    question = only(target.top, row.name, schema_id_of(row))
    if question is None:
        return None
    return _Answered(question, row.message_id), _spans(row)


def _spans(row: Row) -> list[Span]:
    if row.frames:
        return [(one.start, one.end) for one in row.frames]
    answers = answers_of(row)
    if not answers or isinstance(answers, str):
        return [EVERYWHERE]
    return [
        span
        for answer in answers
        for span in (
            [(one.start, one.end) for one in answer.frames]
            if answer.frames
            else [EVERYWHERE]
        )
    ]


def _united(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def _meet(united: Sequence[Span], spans: Iterable[Span]) -> bool:
    for start, end in spans:
        # Of those that don't begin later, the last one ends last.
        number = bisect_right(united, end, key=lambda span: span[0])
        if number and united[number - 1][1] >= start:
            return True
    return False
