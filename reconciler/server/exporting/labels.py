"""A label, or the predictions for a row, as one entry of an export."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from reconciler.annotations.rows import Row, answers_of, read_uuid
from reconciler.server.exporting.annotations import (
    Reader,
    classification_of,
    object_of,
    relationship_of,
)
from reconciler.server.exporting.video import Timeline, add_timed, is_timed
from reconciler.server.store.ids import part_ids

VERSION: Final = "1.0.0"
"""Which form of labels this is, as Labelbox counts."""

_KINDS: Final = {"AUDIO": "Audio", "VIDEO": "Video"}

decode_lines: Final = msgspec.json.Decoder(list[Row]).decode
"""Reads the contents of a label."""


def numbered(rows: Sequence[Row]) -> Iterable[tuple[str, Row]]:
    """Tell the lines of a label apart: by uuid, or by place where there is none."""
    for n, row in enumerate(rows):
        yield (row.uuid and read_uuid(row.uuid)) or f"#{n}", row


def label_of(
    reader: Reader, identifier: str, rows: Iterable[tuple[str, Row]], *, between: bool
) -> dict[str, Any]:
    """Make the entry of a label.

    Args:
        reader: How lines are read.
        identifier: The label's id.
        rows: Its lines, each with what tells it from the others.
        between: Whether frames between key frames are wanted.

    Raises:
        Unsayable: When those frames are too many.
    """
    name = part_ids(identifier)
    timeline = Timeline(between)
    objects, classifications, relationships = [], [], []
    for seed, row in rows:
        if is_timed(row):
            add_timed(timeline, reader, name, seed, row)
        elif row.relationship is not None:
            found = relationship_of(reader, name, seed, row, row.relationship)
            relationships.append(found | reader.identify(seed))
        elif answers_of(row) is not None:
            asked = classification_of(
                reader,
                name,
                seed,
                row,
                feature=reader.feature(row, reader.features.top),
                message_id=row.message_id,
            )
            classifications.append(asked | reader.identify(seed))
        elif (one := object_of(reader, name, seed, row)) is not None:
            objects.append(one | reader.identify(seed))
    annotations: dict[str, Any]
    if timeline.frames or reader.media_type == "VIDEO":
        annotations = {**timeline.annotations(), "classifications": classifications}
        if objects:
            annotations["objects"] = objects
        if relationships:
            annotations["relationships"] = relationships
        kind = _KINDS.get(reader.media_type or "", "Video")
    else:
        annotations = {
            "objects": objects,
            "classifications": classifications,
            "relationships": relationships,
        }
        kind = "Default"
    return {
        "label_kind": kind,
        "version": VERSION,
        "id": identifier,
        "annotations": annotations,
    }
