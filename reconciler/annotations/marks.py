"""Marks of annotations: what is remembered of all that was ever sent.

Nothing that was imported can be listed or taken back, so it must be remembered
to know what is still there that nobody wants any more. A mark is 10 bytes: 4 for
the data row, by which marks of rows that have left can be told, and 6 for the
annotation in it. Marks are kept packed: sorted, each once, without anything
between them.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.annotations.checked import MetricKey

SIZE: Final = 10
"""How many bytes a mark has."""

_ROW: Final = 4


def mark(row: str, identity: str) -> bytes:
    """Mark an annotation.

    The first 4 bytes of the SHA-256 of the row's name, and the first 6 of that of
    the name, a tab and the identity.

    Args:
        row: The data row, as lines name it.
        identity: The annotation's uuid; of a metric, see `metric_identity`.
    """
    [marked] = marks_of(row, [identity])
    return marked


def marks_of(row: str, identities: Iterable[str]) -> list[bytes]:
    """Mark annotations of one row, quicker than one by one."""
    prefix, before, rest = _prefix(row), f"{row}\t", SIZE - _ROW
    return [
        prefix + hashlib.sha256((before + one).encode()).digest()[:rest]
        for one in identities
    ]


def metric_identity(key: "MetricKey") -> str:
    """Say which metric of its data row one is: JSON of name, feature and subclass."""
    import msgspec  # slow to load, and plans only count marks

    return msgspec.json.encode([key.name, key.feature, key.subclass]).decode()


def pack(marks: Iterable[bytes]) -> bytes:
    """Keep marks: equal ones once, in their order."""
    return b"".join(sorted(set(marks)))


def merged(first: bytes, second: bytes) -> bytes:
    """Unite two packs."""
    if not first or not second or first == second:
        return first or second
    return pack([*_unpack(first), *_unpack(second)])


def stale(sent: bytes, desired: Iterable[bytes], members: Iterable[str] | None) -> int:
    """Count what was sent, may still be there, and isn't wanted any more.

    Two of 2^48 annotations of a row, or of 2^32 rows, may be mistaken for each
    other: the count is something to tell, and decides nothing.

    Args:
        sent: All that was ever sent, packed.
        desired: All that is wanted, in any number of packs.
        members: Names of the data rows that are there; what is on others went
            with them. None takes all rows for members.
    """
    left = set(_unpack(sent))
    for pack_ in desired:
        left.difference_update(_unpack(pack_))
    if members is None or not left:
        return len(left)
    rows = {one[:_ROW] for one in left}
    there = rows.intersection(map(_prefix, members))
    return sum(one[:_ROW] in there for one in left)


def without_rows(packed: bytes, rows: Iterable[str]) -> bytes:
    """Leave out the marks of some data rows."""
    gone = {_prefix(row) for row in rows}
    if not gone:
        return packed
    return b"".join(one for one in _unpack(packed) if one[:_ROW] not in gone)


def without(packed: bytes, marks: Iterable[bytes]) -> bytes:
    """Leave out some marks."""
    gone = frozenset(marks)
    return b"".join(one for one in _unpack(packed) if one not in gone)


def dealt(packs: Iterable[bytes], slots: int) -> dict[int, bytes]:
    """Deal marks into the slots that their rows are in, of a power of two of them.

    A slot is told by the first bits of the hash that a mark begins with; see
    `state.uploads.Slot.holding`.
    """
    found: dict[int, set[bytes]] = {}
    for packed in packs:
        for one in _unpack(packed):
            number = int.from_bytes(one[:_ROW], "big") * slots >> 8 * _ROW
            found.setdefault(number, set()).add(one)
    return {number: pack(those) for number, those in found.items()}


def _prefix(row: str) -> bytes:
    return hashlib.sha256(row.encode()).digest()[:_ROW]


def _unpack(packed: bytes) -> Iterator[bytes]:
    return (packed[n : n + SIZE] for n in range(0, len(packed), SIZE))
