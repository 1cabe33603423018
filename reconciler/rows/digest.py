"""Rows to the one name that any two equal sets of rows share."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice

from reconciler.state.resources import Split

_BATCH = 10_000


def row_line(name: str, split: Split) -> str:
    r"""Write a row as digests see it.

    A row without a global key, where names are global keys, has the name
    `\t<id>`: no key that a manifest may name starts like that.
    """
    return f"{name}\t{split}\n"


def keyless(row_id: str) -> str:
    """Name a row that has no global key, for a digest."""
    return f"\t{row_id}"


def digest_rows(rows: Iterable[tuple[str, Split]]) -> str:
    """Name rows by `sha256:` and the hash of their sorted lines.

    Lines are sorted by their UTF-8 bytes, which is the order of code points.
    """
    return digest_lines(sorted(row_line(name, split) for name, split in rows))


def digest_lines(lines: Iterable[str]) -> str:
    """Name lines that are already written and sorted."""
    found = hashlib.sha256()
    left: Iterator[str] = iter(lines)
    while text := "".join(islice(left, _BATCH)):
        found.update(text.encode())
    return f"sha256:{found.hexdigest()}"
