"""Long lists of ids, in requests of a size that the remote takes."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from reconciler.remote.errors import Refused

T = TypeVar("T")
R = TypeVar("R")

SMALLEST: Final = 100
"""Batches are not halved below this many items."""


def batched(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a sequence into parts of at most *size*."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def halving(items: Sequence[T], send: Callable[[Sequence[T]], R]) -> list[R]:
    """Send items at once, or in halves when that is refused as too much.

    Raises:
        Refused: When it is about something else, or the smallest batch is
            refused too.
    """
    try:
        return [send(items)]
    except Refused as refusal:
        if not refusal.about_size or len(items) <= SMALLEST:
            raise
    half = max(SMALLEST, (len(items) + 1) // 2)
    return [done for part in batched(items, half) for done in halving(part, send)]
