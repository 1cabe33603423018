"""Which ground truth the rows of a run have: by id, or pinned by content.

A label's id means something in one organisation only, and what it stands for may
be edited at any time. Its content hash says what was meant, anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, NewType, TypeAlias

from reconciler.state.address import Address, RemoteId

ContentHash = NewType("ContentHash", str)
"""`sha256:` and the hash of a label's canonical annotations; see
`annotations.content`."""


class PinnedLabel(NamedTuple):
    """The label of one row, as it was locked.

    Attributes:
        row: Global key of the row.
        content: What the label says.
        label_id: Its id where it was locked; None if that isn't known. A hint,
            valid in the organisation that the lock names.
        changed: When its content last changed, for labels with masks, whose
            pixels the content hash leaves out; else None.
    """

    row: str
    content: ContentHash
    label_id: RemoteId | None = None
    changed: str | None = None


@dataclass(frozen=True)
class LabelPins:
    """Labels as a lock says: what they are, whatever becomes of the project.

    Attributes:
        project: Where the project is declared that the labels come from; None
            when only their ids lead to them.
        organisation: The one that label ids are valid in.
        labels: By global key, at most one a row.
        digest: SHA-256 of the sorted `key<TAB>content` lines.
        name: The lock, relative to the workspace, with `/`.
    """

    project: Address | None
    organisation: RemoteId
    labels: Mapping[str, PinnedLabel]
    digest: str
    name: str


@dataclass(frozen=True, slots=True)
class LabelIds:
    """Exactly these labels, by id; none of them means a run without labels."""

    ids: frozenset[RemoteId]


Labels: TypeAlias = LabelPins | LabelIds


class CurrentLabel(NamedTuple):
    """A label as a run or a project on the remote has it.

    Attributes:
        row_id: The id of its data row.
        row: The row's global key; None for rows without.
        label_id: Its id.
        content: What it says.
        changed: When its content last changed, as far as the remote tells; for
            labels with masks only.
        benchmark: Whether it is the one that others are compared with, as far
            as the remote tells.
    """

    row_id: str
    row: str | None
    label_id: RemoteId
    content: ContentHash
    changed: str | None = None
    benchmark: bool = False


def is_as_pinned(label: CurrentLabel, pin: PinnedLabel) -> bool:
    """Tell whether a label of the pinned row is what was locked.

    The pixels of masks aren't in the content; the time of a change stands for
    them. A label of another id has times of its own, which tell nothing.
    """
    if label.content != pin.content:
        return False
    return (
        label.label_id != pin.label_id
        or None in (label.changed, pin.changed)
        or label.changed == pin.changed
    )
