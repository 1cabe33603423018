"""What came of each line of an import, as the lines that clients read.

Everything beyond ASCII is escaped: the SDK takes some characters for ends of lines
wherever they are.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from json.encoder import encode_basestring_ascii
from typing import Any, Final

from reconciler.annotations.checked import Checked, Refused
from reconciler.annotations.rows import RowName
from reconciler.server.store.import_facts import Facts
from reconciler.server.store.targets import NamedRow

TOGETHER: Final = 4096
"""How many lines are joined for one write."""

_SUCCESS: Final = b',"status":"SUCCESS","errors":[]}\n'


def all_statuses(
    judged: Sequence[Checked], numbers: Sequence[int], facts: Facts
) -> Iterator[bytes]:
    """Write the status of every line.

    Args:
        judged: What came of the lines.
        numbers: Their numbers in the file.
        facts: What is known of their data rows.
    """
    rows = {row.pk: _row(row) for row in facts.rows()}
    for one, number in zip(judged, numbers, strict=True):
        row = facts.find(one.row)
        if isinstance(one, Refused):
            yield _failure(one, row, f"line {number}")
        else:
            assert row, "what is not refused names a data row"
            yield _success(one.uuid, rows[row.pk])


def failures(
    judged: Sequence[Checked], numbers: Sequence[int], facts: Facts
) -> Iterator[bytes]:
    """Write the statuses of the lines that were refused, and only of those."""
    for one, number in zip(judged, numbers, strict=True):
        if isinstance(one, Refused):
            yield _failure(one, facts.find(one.row), f"line {number}")


def without_line(refused: Iterable[Refused]) -> Iterator[bytes]:
    """Write statuses of what was asked for otherwise than by a line."""
    for one in refused:
        yield _failure(one, None, "")


def joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Join lines to pieces that are worth a write."""
    left = iter(lines)
    while batch := list(islice(left, TOGETHER)):
        yield b"".join(batch)


# What is said of lines that were imported is put together by hand: there are as
# many of them as lines.


def _row(row: NamedRow) -> bytes:
    key = row.global_key
    named = "" if key is None else f',"globalKey":{encode_basestring_ascii(key)}'
    return f'"dataRow":{{"id":"{row.id}"{named}}}'.encode()


def _success(uuid: str | None, row: bytes) -> bytes:
    if uuid is None:
        return b'{"uuid":null,' + row + _SUCCESS
    return b'{"uuid":"' + uuid.encode() + b'",' + row + _SUCCESS


def _failure(refused: Refused, row: NamedRow | None, place: str) -> bytes:
    status = {
        "uuid": refused.uuid,
        "dataRow": _named(refused.row, row),
        "status": "FAILURE",
        "errors": [
            {
                "name": one.name,
                "message": one.message,
                "additionalInfo": ", at ".join(filter(None, (place, one.path))),
            }
            for one in refused.problems
        ],
    }
    return _json(status) + b"\n"


def _named(name: RowName | None, row: NamedRow | None) -> Mapping[str, str | None]:
    # Whoever reads the id of every status finds none, rather than no such member.
    given: NamedRow | RowName = row or name or RowName()
    identifier, key = given.id, given.global_key
    return {"id": identifier} if key is None else {"id": identifier, "globalKey": key}


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")
