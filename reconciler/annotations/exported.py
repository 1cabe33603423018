"""Exported labels and predictions become lines of imports again.

Lines have names and no ids: they can be imported elsewhere, with an ontology of
the same names. They have the content of the lines that were once imported, as
`annotations.content` says it, and the uuids where the export tells them.

An annotation that no line could say is an error: nothing is left out. What
exports themselves leave out is lost: on which frames answers below other answers
hold, and where one of several answers ends while another goes on.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from reconciler.annotations.content import content_of, contents_of
from reconciler.annotations.exported_answers import (
    classification_row,
    heading,
    nested_rows,
    weights,
)
from reconciler.annotations.exported_places import place_of
from reconciler.annotations.exported_shapes import (
    Annotations,
    CannotReadError,
    Classification,
    Object,
    Related,
    Relationship,
    read_annotations,
)
from reconciler.annotations.exported_video import timed_rows
from reconciler.annotations.rows import Row
from reconciler.annotations.uuids import derived_uuid
from reconciler.state.canonical import JsonObject, JsonValue, canonical_bytes

__all__ = ["CannotReadError", "exported_content", "import_rows"]


def import_rows(
    entry: Mapping[str, object], *, media_type: str | None
) -> list[JsonObject]:
    """Turn what an export has of a label, or of predictions, into lines of imports.

    Lines have no data row, and a uuid where the export says one. The ends of
    relationships always have one: where nothing says it, it is derived from what
    they say, and the same whenever that is.

    Args:
        entry: One of `labels` or `predictions` of an exported line.
        media_type: What the data is, to say so in errors; None if unknown.

    Raises:
        CannotReadError: For what no line could say.
    """
    try:
        return _rows_of(read_annotations(entry))
    except CannotReadError as error:
        data = f"{media_type} data has" if media_type else "there is"
        message = f"{data} what can't be imported again: {error}"
        raise CannotReadError(message) from error


def exported_content(
    entry: Mapping[str, object], *, media_type: str | None, marks: bool
) -> list[JsonObject]:
    """Say what an exported label, or predictions, say: as `contents_of` the lines.

    Args:
        entry: One of `labels` or `predictions` of an exported line.
        media_type: What the data is, to say so in errors; None if unknown.
        marks: Whether confidences and custom metrics count.

    Raises:
        CannotReadError: For what no line could say.
    """
    rows = import_rows(entry, media_type=media_type)
    return contents_of([(_row(one), None) for one in rows], marks=marks)


@dataclass(slots=True)
class _Line:
    """A line, and the feature ids of what it became."""

    parts: Collection[str]
    row: JsonObject


def _rows_of(annotations: Annotations) -> list[JsonObject]:
    lines = list(_lines(annotations))
    related = [_relation(one) for one in annotations.relationships or ()]
    if not related:
        return [line.row for line in lines]
    known = {part: line for line in lines for part in line.parts}
    _name_ends(lines, known, [relation for _, relation, _ in related])
    relationships = [
        _relationship_row(given, relation, kind, known)
        for given, relation, kind in related
    ]
    return [*(line.row for line in lines), *relationships]


def _lines(annotations: Annotations) -> Iterator[_Line]:
    for one in annotations.objects or ():
        yield _Line(_parts(one), _with_uuid(one.uuid, _object_row(one)))
    for timed in timed_rows(annotations):
        yield _Line(timed.parts, _with_uuid(timed.uuid, timed.row))
    segments = annotations.segments or {}
    for asked in annotations.classifications or ():
        row = classification_row(asked)
        # Labelbox has answers of a whole video here, and their frames elsewhere.
        if spans := segments.get(asked.feature_id or ""):
            row["frames"] = [{"start": start, "end": end} for start, end in spans]
        yield _Line(_parts(asked), _with_uuid(asked.uuid, row))


def _parts(given: Object | Classification) -> Collection[str]:
    return {given.feature_id} if given.feature_id is not None else ()


def _with_uuid(uuid: str | None, row: JsonObject) -> JsonObject:
    return row if uuid is None else {"uuid": uuid, **row}


def _object_row(given: Object) -> JsonObject:
    row = heading(given) | weights(given) | place_of(given)
    return row | nested_rows(given.classifications)


def _relation(given: Relationship) -> tuple[Relationship, Related, str]:
    if given.unidirectional_relationship is not None:
        return given, given.unidirectional_relationship, "unidirectional"
    if given.bidirectional_relationship is not None:
        return given, given.bidirectional_relationship, "bidirectional"
    kind = given.annotation_kind or "a relationship"
    raise CannotReadError(f"{kind} that relates nothing")


def _name_ends(
    lines: Sequence[_Line], known: Mapping[str, _Line], related: Sequence[Related]
) -> None:
    """Give a uuid to those that are related and have none."""
    ends = {end for one in related for end in (one.source, one.target) if end}
    nameless = {id(known[end]) for end in ends if end in known}
    counts: Counter[bytes] = Counter()
    for line in lines:
        if id(line) in nameless and "uuid" not in line.row:
            content = content_of(_row(line.row), None, marks=False)
            said = canonical_bytes(content)
            name = str(content.get("name"))
            uuid = derived_uuid(("export",), "", name, content, counts[said])
            counts[said] += 1
            line.row = {"uuid": uuid, **line.row}


def _relationship_row(
    given: Relationship, related: Related, kind: str, known: Mapping[str, _Line]
) -> JsonObject:
    said: JsonObject = {"type": kind}
    if related.source is not None:
        said["source"] = _end(related.source, known)
    if related.source_ontology_name is not None:
        said["sourceOntologyName"] = related.source_ontology_name
    said["target"] = _end(related.target, known)
    if related.readonly is not None:
        said["readonly"] = related.readonly
    row = heading(given) | weights(given) | {"relationship": said}
    return _with_uuid(given.uuid, row | nested_rows(given.classifications))


def _end(part: str, known: Mapping[str, _Line]) -> JsonValue:
    if part not in known:
        raise CannotReadError(f"a relationship with {part}, which isn't in the export")
    return known[part].row["uuid"]


def _row(row: JsonObject) -> Row:
    return msgspec.convert(row, Row)
