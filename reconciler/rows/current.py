"""Rows of a run as a remote gives them, collected while they are read."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

from reconciler.rows.change import CurrentRow
from reconciler.rows.digest import digest_rows, keyless
from reconciler.state.resources import RowIdentity, Split

LARGE: Final = 30_000
"""More rows than this are kept in DuckDB rather than in Python."""

_SAMPLES: Final = 10


class CurrentRows(Protocol):
    """The rows that a run has; no id and no global key twice.

    Few are kept as they are, many in DuckDB; nobody needs to know which.
    """

    def __len__(self) -> int:
        """Count the rows."""

    def __iter__(self) -> Iterator[CurrentRow]:
        """Go through the rows, in no promised order."""

    def digest(self, by: RowIdentity) -> str:
        """Name the rows by the SHA-256 of their sorted `name<TAB>split` lines.

        Where names are global keys, a row without one enters as `<TAB>id`.
        """


class RepeatedRowsError(ValueError):
    """Rows were given twice, so what was read is not what the run has.

    Attributes:
        names: Up to ten of the repeated ids or global keys.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        super().__init__(f"read more than once: {', '.join(self.names)}")


@dataclass(frozen=True)
class PlainCurrentRows:
    """Few rows, kept as they were read."""

    rows: tuple[CurrentRow, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[CurrentRow]:
        return iter(self.rows)

    def digest(self, by: RowIdentity) -> str:
        """See `CurrentRows`."""
        match by:
            case RowIdentity.GLOBAL_KEY:
                return self._digest_by_key
            case RowIdentity.DATA_ROW_ID:
                return self._digest_by_id

    def splits(self, by: RowIdentity) -> Mapping[str, Split]:
        """Look up splits by name; rows without a name of that kind are left out."""
        match by:
            case RowIdentity.GLOBAL_KEY:
                return self._by_key
            case RowIdentity.DATA_ROW_ID:
                return self._by_id

    def repeated(self) -> list[str]:
        """List up to ten ids, or else global keys, that stand twice."""
        if len(self._by_id) < len(self.rows):
            return _twice(row.id for row in self.rows)
        keys = [row.key for row in self.rows if row.key is not None]
        return _twice(keys) if len(self._by_key) < len(keys) else []

    @cached_property
    def _by_key(self) -> dict[str, Split]:
        return {key: split for _, key, split in self.rows if key is not None}

    @cached_property
    def _by_id(self) -> dict[str, Split]:
        return {row_id: split for row_id, _, split in self.rows}

    @cached_property
    def _digest_by_key(self) -> str:
        return digest_rows(
            (keyless(row.id) if row.key is None else row.key, row.split)
            for row in self.rows
        )

    @cached_property
    def _digest_by_id(self) -> str:
        return digest_rows((row.id, row.split) for row in self.rows)


def collect(
    batches: Iterable[Iterable[CurrentRow]], *, large: int = LARGE
) -> CurrentRows:
    """Keep the rows of a run while its pages or export lines are read.

    Never more than *large* rows are held as Python objects: beyond that they
    go on to DuckDB, batch by batch.

    Args:
        batches: The rows, in any order and grouping; read once.
        large: How many rows are still kept as they are.

    Raises:
        RepeatedRowsError: When an id or a global key comes twice: pages that
            shifted while they were read, so the read isn't whole.
    """
    rows = itertools.chain.from_iterable(batches)
    first = tuple(itertools.islice(rows, large + 1))
    if len(first) <= large:
        plain = PlainCurrentRows(first)
        if names := plain.repeated():
            raise RepeatedRowsError(names)
        return plain

    from reconciler.rows.large import LargeCurrentRows  # duckdb

    kept = LargeCurrentRows.load(itertools.chain(first, rows))
    if names := kept.repeated(_SAMPLES):
        raise RepeatedRowsError(names)
    return kept


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)[
        :_SAMPLES
    ]
