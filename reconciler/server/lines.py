"""Annotations as they travel: lines of an import, and the lists that labels hold.

A line names its data row and itself; inside a label the row is known, so only
the annotation stays. Whatever else a line says is passed on as it came.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeAlias
from uuid import uuid4

import msgspec

from reconciler.annotations.rows import read_uuid

Line: TypeAlias = dict[str, msgspec.Raw]
"""One annotation, with a canonical `uuid`; members are JSON that nobody has read."""

Merge: TypeAlias = Callable[[Sequence[Line], Sequence[Line]], list[Line]]
"""Unites the annotations of a label with those that come to it."""

ELSEWHERE: Final = ("dataRow", "isBenchmarkReferenceLabel")
"""What a line says of its label and not of itself."""

MARKS: Final = frozenset({"confidence", "customMetrics", "custom_metrics"})
"""What a model says of its predictions, at any depth of answers."""

_BELOW: Final = frozenset(
    {"answer", "answers", "classifications", "segments", "keyframes"}
)

_decode = msgspec.json.Decoder(Line).decode
_decode_list = msgspec.json.Decoder(list[Line]).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_name = msgspec.json.Decoder(str | None).decode
_encode = msgspec.json.Encoder().encode


def line_of(text: bytes | str, uuid: str | None = None) -> Line:
    """Read a line of an import that was accepted.

    Args:
        text: The line.
        uuid: What it is known by, where that isn't in the line; without any it
            gets a new one.
    """
    line = _decode(text)
    for name in ELSEWHERE:
        line.pop(name, None)
    if uuid is None:
        written = _decode_name(line["uuid"]) if "uuid" in line else None
        uuid = (written and read_uuid(written)) or str(uuid4())
    line["uuid"] = msgspec.Raw(b'"%b"' % uuid.encode())
    return line


def uuid_of(line: Line) -> str:
    """Tell what an annotation is known by."""
    return _decode_text(line["uuid"])


def lines_of(text: str) -> list[Line]:
    """Read the annotations of a label."""
    return _decode_list(text)


def text_of(lines: Iterable[Line]) -> str:
    """Write the annotations of a label."""
    return _encode(list(lines)).decode()


def body_of(line: Line) -> str:
    """Write one annotation."""
    return _encode(line).decode()


def joined(old: Sequence[Line], new: Sequence[Line]) -> list[Line]:
    """Add annotations; those of the same uuid are replaced in their place."""
    return list({uuid_of(line): line for line in (*old, *new)}.values())


def count_kept(new: Sequence[Line], merged: Iterable[Line]) -> int:
    """Count how many of the annotations that came a merge has kept."""
    came = {id(line) for line in new}
    return sum(id(line) in came for line in merged)


def without_marks(text: str) -> str:
    """Leave out of a label how sure a model was: a label is what people say."""
    if not any(f'"{name}"' in text for name in MARKS):
        return text
    return _encode(_unmarked(msgspec.json.decode(text))).decode()


def _unmarked(given: Any) -> Any:
    match given:
        case list():
            return [_unmarked(one) for one in given]
        case dict():
            return {
                name: _unmarked(value) if name in _BELOW else value
                for name, value in given.items()
                if name not in MARKS
            }
        case _:
            return given
