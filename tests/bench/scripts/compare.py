"""Two lists of rows of which some differ: compared by us, and as bare sets.

compare.py COUNT
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from reconciler.rows.change import CurrentRow
from reconciler.rows.current import collect
from reconciler.rows.diff import diff_rows
from reconciler.rows.membership import make_membership
from reconciler.state.resources import RowIdentity, Split

T = TypeVar("T")

_ORDER = (*(Split.TRAINING,) * 8, Split.VALIDATION, Split.TEST)
_EVERY = 200
"""Of so many rows one is in another split, and one is another row: 1% in all."""


def main(count: int) -> None:
    """Measure, and print seconds by name."""
    there = [
        [CurrentRow(f"c{n:024}", _key_there(n), _split_there(n)) for n in numbers]
        for numbers in _batched(count)
    ]
    print(json.dumps(_by_us(count, there) | _by_sets(count, there)))


def _batched(count: int) -> Iterator[range]:
    for start in range(0, count, 10_000):
        yield range(start, min(start + 10_000, count))


def _by_us(count: int, there: list[list[CurrentRow]]) -> dict[str, float]:
    each = count // _EVERY
    rows = {f"row-{n:07}": _ORDER[n % 10] for n in range(count)}
    desired = make_membership(rows, by=RowIdentity.GLOBAL_KEY)
    current, collecting = _timed(lambda: collect(there))
    change, comparing = _timed(lambda: diff_rows(desired=desired, current=current))
    assert change.moved_count == change.added_count == change.removed_count == each
    return {"collect": collecting, "diff": comparing}


def _by_sets(count: int, there: list[list[CurrentRow]]) -> dict[str, float]:
    wanted = {f"row-{n:07}\t{_ORDER[n % 10]}" for n in range(count)}
    found, collecting = _timed(
        lambda: {f"{row.key}\t{row.split}" for batch in there for row in batch}
    )
    differ, comparing = _timed(lambda: (wanted - found, found - wanted))
    assert [*map(len, differ)] == [2 * (count // _EVERY)] * 2
    return {"build": collecting, "sets": comparing}


def _timed(do: Callable[[], T]) -> tuple[T, float]:
    gc.collect()
    began = time.perf_counter()
    result = do()
    return result, time.perf_counter() - began


def _key_there(n: int) -> str:
    return f"old-{n:07}" if n % _EVERY == 0 else f"row-{n:07}"


def _split_there(n: int) -> Split:
    return Split.UNASSIGNED if n % _EVERY == 1 else _ORDER[n % 10]


if __name__ == "__main__":
    main(int(sys.argv[1]))
