"""Whether splits are honest: nothing that is learned from is also examined with.

Rows may be different and still be the same thing: the same picture twice, or two
pictures of one patient. A membership with such rows in two splits measures memory.
Rows that are UNASSIGNED are in no split, and so in nobody's way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.rows.plain import PlainMembership
from reconciler.state.resources import Membership, RowIdentity, Split

if TYPE_CHECKING:
    from reconciler.rows.honesty_large import LargeValues  # duckdb is slow

Values: TypeAlias = "Mapping[str, str] | LargeValues"
"""A text for each row, by its name: its group, or what its content is.

A row that is not there, or whose text is empty, has none.
"""

SAMPLES: Final = 10
"""How many of all that is found are shown."""

_FEW: Final = 8
"""How many memberships are compared without an index."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Rows that share a value, and are in several splits.

    Attributes:
        value: What they share.
        rows: How many rows there are.
        first: The first row of each split, by name, in the order of splits.
    """

    value: str
    rows: int
    first: tuple[tuple[str, Split], ...]

    def __str__(self) -> str:
        shown = ", ".join(f"{name} ({split})" for name, split in self.first)
        more = self.rows - len(self.first)
        return f"{shown} and {more:,} more" if more else shown


@dataclass(frozen=True, slots=True)
class Crossings:
    """What is in several splits of a membership.

    Attributes:
        count: How many values are.
        rows: How many rows have them.
        samples: The first of them, by the name of their first row.
    """

    count: int
    rows: int
    samples: tuple[Crossing, ...]

    def __bool__(self) -> bool:
        return self.count > 0


@dataclass(frozen=True, slots=True)
class Overlap:
    """Rows that two memberships share.

    Attributes:
        count: How many.
        samples: The first of them, by name.
    """

    count: int
    samples: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.count > 0


def across_splits(membership: Membership, values: Values) -> Crossings:
    """Find values that rows of more than one split have."""
    if not len(values):
        return Crossings(0, 0, ())
    if not isinstance(membership, PlainMembership) or not isinstance(values, Mapping):
        from reconciler.rows.honesty_large import across_splits_large  # duckdb is slow

        return across_splits_large(membership, values)
    seen: dict[str, Split] = {}
    crossing: set[str] = set()
    used = (item for item in membership if item[1] is not Split.UNASSIGNED)
    for name, split in used:
        value = values.get(name)
        if value and seen.setdefault(value, split) is not split:
            crossing.add(value)
    if not crossing:
        return Crossings(0, 0, ())
    rows: dict[str, list[tuple[str, Split]]] = {value: [] for value in crossing}
    for name, split in membership:
        value = values.get(name)
        if value in rows and split is not Split.UNASSIGNED:
            rows[value].append((name, split))
    found = sorted(
        (_crossing(value, members) for value, members in rows.items()),
        key=lambda one: (min(one.first), one.value),
    )
    count = sum(one.rows for one in found)
    return Crossings(len(found), count, tuple(found[:SAMPLES]))


def _crossing(value: str, members: Iterable[tuple[str, Split]]) -> Crossing:
    ordered = sorted(members)
    first = {split: name for name, split in reversed(ordered)}
    return Crossing(
        value, len(ordered), tuple((first[s], s) for s in Split if s in first)
    )


def trained_on(*, evaluation: Membership, trained: Membership) -> Overlap:
    """Find rows that one membership evaluates, and another one trains on.

    Rows that are named in different ways can't be compared: there are none then.

    Args:
        evaluation: Evaluates all of its rows that aren't in TRAINING.
        trained: Trains on its rows in TRAINING.
    """
    if evaluation.by is not trained.by:
        return Overlap(0, ())
    if not isinstance(evaluation, PlainMembership) or not isinstance(
        trained, PlainMembership
    ):
        from reconciler.rows.honesty_large import trained_on_large  # duckdb is slow

        return trained_on_large(evaluation=evaluation, trained=trained)
    examined, learned = evaluation.rows, trained.rows
    shorter = examined if len(examined) < len(learned) else learned
    return _overlap(
        name
        for name in shorter
        if learned.get(name) is Split.TRAINING
        and examined.get(name, Split.TRAINING) is not Split.TRAINING
    )


def _overlap(names: Iterable[str]) -> Overlap:
    found = sorted(names)
    return Overlap(len(found), tuple(found[:SAMPLES]))


class Examinations:
    """Memberships that evaluate, however many, to be compared with what trains.

    Rows of many are looked up in one index. A few are compared one by one, which
    takes as long as the shorter of both has rows.
    """

    def __init__(self, evaluations: Sequence[Membership]) -> None:
        self._evaluations = evaluations
        self._known: dict[int, Mapping[int, Overlap]] = {}

    def trained_on(self, trained: Membership) -> Mapping[int, Overlap]:
        """Find rows of each that another membership trains on; see `trained_on`.

        Args:
            trained: Must live as long as this.

        Returns:
            What is found, by the position of the membership; nothing for those
            that have none of the rows.
        """
        if id(trained) not in self._known:
            self._known[id(trained)] = dict(sorted(self._compare(trained)))
        return self._known[id(trained)]

    def _compare(self, trained: Membership) -> Iterator[tuple[int, Overlap]]:
        one_by_one: Iterable[int] = range(len(self._evaluations))
        if len(self._evaluations) > _FEW and isinstance(trained, PlainMembership):
            one_by_one = self._large
            positions = self._index.get(trained.by, {})
            found: dict[int, list[str]] = {}
            for name, split in trained:
                if split is Split.TRAINING:
                    for position in positions.get(name, ()):
                        found.setdefault(position, []).append(name)
            yield from (
                (position, _overlap(names)) for position, names in found.items()
            )
        for position in one_by_one:
            evaluation = self._evaluations[position]
            if overlap := trained_on(evaluation=evaluation, trained=trained):
                yield position, overlap

    @cached_property
    def _large(self) -> Sequence[int]:
        return [
            position
            for position, one in enumerate(self._evaluations)
            if not isinstance(one, PlainMembership)
        ]

    @cached_property
    def _index(self) -> Mapping[RowIdentity, Mapping[str, Sequence[int]]]:
        """Who evaluates each row, by how rows are named."""
        index: dict[RowIdentity, dict[str, list[int]]] = {}
        for position, one in enumerate(self._evaluations):
            if isinstance(one, PlainMembership):
                names = index.setdefault(one.by, {})
                for name, split in one:
                    if split is not Split.TRAINING:
                        names.setdefault(name, []).append(position)
        return index
