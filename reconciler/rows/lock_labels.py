"""Locks of labels: what the labels of a project came to."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.rows.digest import digest_lines
from reconciler.rows.lock import (
    SHA256,
    LabelsHeader,
    LockError,
    check_lines,
    compare,
    digest_keys,
    digest_pairs,
    head_lines,
    read_fields,
)
from reconciler.state.address import Address, RemoteId
from reconciler.state.labels import ContentHash, PinnedLabel

_HEX: Final = frozenset("0123456789abcdef")


def labels_header(
    *,
    project: Address | None,
    endpoint: str,
    organisation: RemoteId,
    labels: Mapping[str, PinnedLabel],
) -> LabelsHeader:
    """Describe labels, by global key."""
    return LabelsHeader(
        endpoint=endpoint,
        organisation=organisation,
        rows=len(labels),
        members=digest_keys(labels),
        lines=digest_lines(_lines(labels)),
        project=None if project is None else str(project),
        labels=_digest_labels(labels),
    )


def labels_lines(
    header: LabelsHeader, labels: Mapping[str, PinnedLabel]
) -> Iterator[str]:
    """Write a lock of labels."""
    yield from head_lines(header)
    yield from _lines(labels)


def _lines(labels: Mapping[str, PinnedLabel]) -> Iterator[str]:
    for key in sorted(labels):
        label = labels[key]
        fields = (
            key,
            label.content.removeprefix(SHA256),
            label.label_id or "",
            label.changed or "",
        )
        yield "\t".join(fields) + "\n"


def read_labels(file: Path, header: LabelsHeader) -> dict[str, PinnedLabel]:
    """Read the labels of a lock by global key, and check them against its header.

    Raises:
        LockError: When they aren't the labels that were locked.
        OSError: When the file can't be read.
    """
    labels: dict[str, PinnedLabel] = {}
    for line, (key, content, label_id, changed) in read_fields(file, 4):
        if len(content) != 64 or not _HEX.issuperset(content):
            raise LockError(f"{content!r} is no hash of a label's content", line)
        labels[key] = PinnedLabel(
            row=key,
            content=ContentHash(f"{SHA256}{content}"),
            label_id=RemoteId(label_id) if label_id else None,
            changed=changed or None,
        )
    said: dict[str, tuple[object, object]] = {
        "rows": (header.rows, len(labels)),
        "members": (header.members, digest_keys(labels)),
        "labels": (header.labels, _digest_labels(labels)),
    }
    compare(said)
    check_lines(file, header)
    return labels


def _digest_labels(labels: Mapping[str, PinnedLabel]) -> str:
    return digest_pairs((key, label.content) for key, label in labels.items())
