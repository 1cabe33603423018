"""What differs between the rows of a run and those it should have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.state.resources import RowIdentity, Split


class CurrentRow(NamedTuple):
    """A row as a run on the remote has it; the key is None for rows without."""

    id: str
    key: str | None
    split: Split


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsChange:
    """Rows to add, to move between splits, and to remove.

    Names are global keys or data row ids, as `by` says, and sorted. A row whose
    split differs is moved, never removed and added again: that would drop the
    predictions and labels attached to it.

    Attributes:
        by: What the names are.
        added: By the split they go to.
        moved: By the split they leave and the one they go to.
        removed: With the ids that the run's own read gave.
        kept: How many rows are the same on both sides.
        before: Digest of the run's rows when they were read; None if nothing
            differs.
        after: Digest of the rows it should have; None if nothing differs.
    """

    by: RowIdentity
    added: Mapping[Split, tuple[str, ...]]
    moved: Mapping[tuple[Split, Split], tuple[str, ...]]
    removed: tuple[CurrentRow, ...]
    kept: int
    before: str | None = None
    after: str | None = None

    def __bool__(self) -> bool:
        return bool(self.added or self.moved or self.removed)

    @property
    def added_count(self) -> int:
        """How many rows are added."""
        return sum(map(len, self.added.values()))

    @property
    def moved_count(self) -> int:
        """How many rows change their split."""
        return sum(map(len, self.moved.values()))

    @property
    def removed_count(self) -> int:
        """How many rows are removed."""
        return len(self.removed)

    @property
    def current_count(self) -> int:
        """How many rows the run has now."""
        return self.kept + self.moved_count + self.removed_count

    def added_names(self) -> Iterator[str]:
        """Go through the names of the added rows, split by split."""
        for names in self.added.values():
            yield from names
