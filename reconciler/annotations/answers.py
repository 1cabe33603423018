"""Answers to classifications, at any depth, checked against what can be answered."""

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.annotations.features import CHECKLISTS, RADIOS, TEXTS, Feature, Option
from reconciler.annotations.problems import Problem, show
from reconciler.annotations.rows import (
    Answer,
    Frames,
    Nested,
    Row,
    answers_of,
    metrics_of,
    schema_id_of,
)

_WITH_OPTIONS: Final = RADIOS | CHECKLISTS


def check_marks(
    given: Row | Nested | Answer, prefix: str, found: list[Problem]
) -> None:
    """Find a confidence out of range, and custom metrics without a name."""
    confidence = given.confidence
    if confidence is not None and not 0 <= confidence <= 1:
        path = f"{prefix}confidence"
        found.append(
            Problem(
                "OutOfRange", f"{path} is {confidence}; it must be from 0 to 1", path
            )
        )
    for n, metric in enumerate(metrics_of(given) or ()):
        if not metric.name:
            path = f"{prefix}customMetrics[{n}].name"
            found.append(Problem("InvalidMetric", f"{path} is empty", path))


def check_frames(
    frames: Sequence[Frames] | None, prefix: str, found: list[Problem]
) -> None:
    """Find frames that end before they start."""
    if frames is None:
        return
    if not frames:
        path = f"{prefix}frames"
        message = f"{path} is empty; leave it out to answer for all frames"
        found.append(Problem("WrongFrames", message, path))
    for n, one in enumerate(frames):
        if not 0 <= one.start <= one.end:
            path = f"{prefix}frames[{n}]"
            message = f"{path} goes from {one.start} to {one.end}"
            found.append(Problem("WrongFrames", message, path))


def check_nested(
    given: Sequence[Nested] | None,
    owner: Feature | Option,
    prefix: str,
    marks: bool,  # noqa: FBT001  # on the way of every row
    found: list[Problem],
) -> None:
    """Check the classifications below an object or an answer.

    Args:
        given: What was answered.
        owner: What they are below, which says what can be answered.
        prefix: The place in the row.
        marks: Whether confidences and custom metrics count.
        found: Where problems go.
    """
    for n, nested in enumerate(given or ()):
        here = f"{prefix}classifications[{n}]."
        schema_id = schema_id_of(nested)
        level = owner.classifications
        features = level.find(nested.name, schema_id)
        if len(features) == 1:
            check_answer(nested, features[0], here, marks, found)
        else:
            found.append(
                level.explain(
                    nested.name,
                    schema_id,
                    what="classification",
                    owner=show(owner.names[0]),
                    prefix=here,
                )
            )


def check_answer(
    given: Row | Nested,
    feature: Feature,
    prefix: str,
    marks: bool,  # noqa: FBT001  # on the way of every row
    found: list[Problem],
) -> None:
    """Check the answer to a classification.

    A radio has one answer, or several that each hold on their own frames; a
    checklist has any number, each option once at a time. A list of one is an
    answer, and an answer is a list of one. A text is a text, or several that each
    hold on their own frames.
    """
    if marks:
        check_marks(given, prefix, found)
    check_nested(
        given.classifications,
        feature,
        prefix,
        marks,
        found,
    )
    answers = answers_of(given)
    field = f"{prefix}answer"
    if answers is None:
        found.append(Problem("MissingField", f"{field} is missing", field))
    elif feature.type in TEXTS:
        _check_texts(answers, feature, field, marks, found)
    elif feature.type not in _WITH_OPTIONS:
        return  # nothing is known of how it is answered
    elif isinstance(answers, str):
        message = f"{field} is a text; {show(feature.name)} is answered with an option"
        found.append(Problem("WrongAnswer", message, field))
    else:
        if feature.type in RADIOS and len(answers) != 1:
            _check_single(answers, feature, field, found)
        single = len(answers) == 1
        chosen: dict[Option, list[Sequence[Frames] | None]] = {}
        for n, answer in enumerate(answers):
            here = f"{field}." if single else f"{field}[{n}]."
            option = _check_option(answer, feature, here, marks, found)
            if option is not None:
                chosen.setdefault(option, []).append(answer.frames)
        if feature.type in CHECKLISTS and not single:
            _check_several(given, answers, chosen, field, found)


def _check_texts(
    answers: str | Sequence[Answer],
    feature: Feature,
    field: str,
    marks: bool,  # noqa: FBT001  # on the way of every row
    found: list[Problem],
) -> None:
    if isinstance(answers, str):
        return
    for n, answer in enumerate(answers):
        here = f"{field}[{n}]."
        if answer.value is None or answer.frames is None:
            message = (
                f"{show(feature.name)} is answered with a text, "
                "or on frames with a value and frames each"
            )
            found.append(Problem("WrongAnswer", message, field))
            return
        check_frames(answer.frames, here, found)
        check_nested(
            answer.classifications,
            feature,
            here,
            marks,
            found,
        )
    _check_once([answer.frames for answer in answers], feature, field, found)


def _check_several(
    given: Row | Nested,
    answers: Sequence[Answer],
    chosen: Mapping[Option, Sequence[Sequence[Frames] | None]],
    field: str,
    found: list[Problem],
) -> None:
    for option, frames in chosen.items():
        if _meet(frames):
            message = f"{field} has the option {show(option.names[0])} twice"
            found.append(Problem("WrongAnswer", message, field))
    whole = given.frames if isinstance(given, Row) else None
    if whole is None and len({answer.frames is None for answer in answers}) > 1:
        message = f"{field} has options with frames and without; give all of them some"
        found.append(Problem("WrongFrames", message, field))


def _check_once(
    frames: Sequence[Sequence[Frames] | None],
    feature: Feature,
    field: str,
    found: list[Problem],
) -> None:
    if _meet(frames):
        message = f"{show(feature.name)} takes one answer a frame; {field} has two"
        found.append(Problem("WrongAnswer", message, field))


def _meet(several: Sequence[Sequence[Frames] | None]) -> bool:
    """Tell whether two answers hold at once; those without frames always do."""
    if len(several) > 1 and None in several:
        return True
    spans = sorted(
        (one.start, one.end, n)
        for n, frames in enumerate(several)
        for one in frames or ()
    )
    last, owner = -1, -1
    for start, end, n in spans:
        if start > last:
            last, owner = end, n
        elif n == owner:
            last = max(last, end)
        else:
            return True
    return False


def _check_single(
    answers: Sequence[Answer], feature: Feature, field: str, found: list[Problem]
) -> None:
    if not answers or any(answer.frames is None for answer in answers):
        message = f"{show(feature.name)} takes one answer, not {len(answers)}"
        found.append(Problem("WrongAnswer", message, field))
    else:
        _check_once([answer.frames for answer in answers], feature, field, found)


def _check_option(
    answer: Answer,
    feature: Feature,
    prefix: str,
    marks: bool,  # noqa: FBT001  # on the way of every row
    found: list[Problem],
) -> Option | None:
    if marks:
        check_marks(answer, prefix, found)
    if answer.frames is not None:
        check_frames(answer.frames, prefix, found)
    schema_id = schema_id_of(answer)
    options = feature.options.find(answer.name, schema_id)
    if len(options) != 1:
        found.append(
            feature.options.explain(
                answer.name,
                schema_id,
                what="option",
                owner=show(feature.name),
                prefix=prefix,
            )
        )
        return None
    if answer.classifications:
        check_nested(
            answer.classifications,
            options[0],
            prefix,
            marks,
            found,
        )
    return options[0]
