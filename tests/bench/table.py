"""Figures to lines that people read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_LINE: Final = "{:<46} {:>9} {:>9} {:>7}  {:<8} {:<6} {:>9}"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio should be."""

    text: str
    met: Callable[[float], bool]


def at_most(most: float) -> Goal:
    """Want a ratio to be small."""
    return Goal(f"<= {most:g}", lambda ratio: ratio <= most)


def at_least(least: float) -> Goal:
    """Want a ratio to be large."""
    return Goal(f">= {least:g}", lambda ratio: ratio >= least)


class Table:
    """Prints every line as soon as it is known."""

    def head(self, title: str, *, other: str) -> None:
        """Begin a case; says what the tool is compared with."""
        print()
        self._print(title, "ours", other, "ratio", "goal", "", "peak")

    def line(
        self,
        name: str,
        ours: str,
        other: str,
        ratio: float,
        goal: Goal | None = None,
        *,
        peak: float | None = None,
    ) -> None:
        """Tell a figure beside another, and whether the goal is met.

        Args:
            name: What was measured.
            ours: What the tool needed.
            other: What it is compared with.
            ratio: Of the two.
            goal: What the ratio should be.
            peak: The tool's memory at its largest, in MiB.
        """
        wanted = ("", "") if goal is None else (goal.text, _verdict(goal, ratio))
        memory = "" if peak is None else mebibytes(peak)
        self._print(name, ours, other, f"{ratio:.2f}", *wanted, memory)

    def note(self, text: str) -> None:
        """Tell what no column has room for."""
        print(f"  {text}", flush=True)

    def _print(self, *columns: str) -> None:
        print(_LINE.format(*columns).rstrip(), flush=True)


def _verdict(goal: Goal, ratio: float) -> str:
    return "met" if goal.met(ratio) else "MISSED"


def seconds(value: float) -> str:
    """Write a duration."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def mebibytes(value: float) -> str:
    """Write a size."""
    return f"{value:.0f} MiB"
