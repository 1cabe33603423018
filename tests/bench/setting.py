"""What all cases are given: where, how much, and whom to tell."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured.

    Attributes:
        rows: Rows of an ordinary run.
        runs: How many such runs are planned, from few to many.
        large: Rows of the largest run.
        small: How many runs of `small_rows` rows are planned.
        small_rows: How many rows those have.
        applied: Runs brought into being, by the server's seconds a task.
        requests: Small requests that are asked of the server.
        predictions: Predictions of one import.
        repeats: How often a case is run; the median counts.
    """

    rows: int = 10_000
    runs: tuple[int, ...] = (1, 10, 100)
    large: int = 1_000_000
    small: int = 1_000
    small_rows: int = 100
    applied: tuple[tuple[float, int], ...] = ((0.0, 10), (1.0, 10))
    requests: int = 5_000
    predictions: int = 100_000
    repeats: int = 3


FULL: Final = Sizes()
QUICK: Final = Sizes(
    runs=(1, 10, 20),
    large=100_000,
    small=100,
    applied=((0.0, 10), (1.0, 2)),
    requests=1_000,
    predictions=20_000,
)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a case works, how much it does, and where its figures go."""

    folder: Path
    sizes: Sizes
    table: Table
