"""A membership that is small enough to be a mapping."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from reconciler.rows.digest import digest_rows
from reconciler.state.resources import RowIdentity, Split


@dataclass(frozen=True)
class PlainMembership:
    """Few rows that a run should have.

    Attributes:
        rows: Splits by name; all UNASSIGNED where splits aren't managed.
        by: What the names are.
        assigns_splits: Whether splits are managed.
    """

    rows: Mapping[str, Split]
    by: RowIdentity
    assigns_splits: bool

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[str, Split]]:
        return iter(self.rows.items())

    def counts(self) -> Mapping[Split, int]:
        """See `Membership`."""
        return self._counts

    def digest(self) -> str:
        """See `Membership`."""
        return self._digest

    @cached_property
    def _counts(self) -> Mapping[Split, int]:
        found = Counter(self.rows.values())
        return {split: found[split] for split in Split if split in found}

    @cached_property
    def _digest(self) -> str:
        return digest_rows(self.rows.items())
