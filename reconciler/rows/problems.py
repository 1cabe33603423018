"""Problems of rows, collected so that a million bad lines stay readable."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from reconciler.diagnostics import Diagnostic, InputError, Span, counted

SHOWN: Final = 10
"""How many problems of one code are said for one file."""

ADVISED: Final = 20
"""How many problems of a load get a word that was probably meant."""

_CANDIDATES: Final = 1000
_LONGEST: Final = 100
_DIGITS: Final = re.compile("[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class More(Diagnostic):
    """Says how many problems like those shown were left out.

    Attributes:
        number: How many.
    """

    number: int = 0


class Problems:
    """Diagnostics found so far, ten of a code and file at most.

    The ones left out are counted, and said as one more diagnostic that stands
    where the first of them would have. Problems that were collected like this
    may be added to others: what was left out stays counted.
    """

    def __init__(self) -> None:
        self._shown: list[Diagnostic] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._beyond: dict[tuple[str, str], Diagnostic] = {}
        self._once: set[Diagnostic] = set()

    def __len__(self) -> int:
        """Count everything found, also what is only counted."""
        return self._counts.total()

    def __iter__(self) -> Iterator[Diagnostic]:
        yield from self._shown
        for like, first in self._beyond.items():
            more = self._counts[like] - SHOWN
            where = f"{counted(more, 'more place')} of {like[0]}"
            if not like[0]:
                where = counted(more, "more place")
            yield More(
                code=first.code,
                message=f"the same is wrong in {where}",
                span=first.span,
                number=more,
            )

    @property
    def codes(self) -> frozenset[str]:
        """The codes of what was found."""
        return frozenset(found.code for found in self._shown)

    def add(self, found: Diagnostic) -> None:
        """Remember a problem, or only count it when there are many like it.

        What is found in the same words at the same place again, as what several
        runs share is, is known already.
        """
        if found in self._once:
            return
        file = found.span.file if found.span else ""
        if isinstance(found, More):
            self._once.add(found)
            self._counts[file, found.code] += found.number
            first = self._beyond.get((file, found.code), found)
            self._beyond[file, found.code] = min(first, found, key=_place)
        elif self.expect(found.code, file):
            self._once.add(found)
            self.add_expected(found)
        else:
            self.add_beyond(found)

    def expect(self, code: str, file: str) -> bool:
        """Count a problem; tell whether it is still to be shown.

        For problems whose words are found later: `add_expected` must follow
        when this says yes, and `add_beyond` when it says no.
        """
        self._counts[file, code] += 1
        return self._counts[file, code] <= SHOWN

    def add_expected(self, found: Diagnostic) -> None:
        """Remember a problem that is already counted."""
        self._shown.append(found)

    def add_beyond(self, found: Diagnostic) -> None:
        """Remember the place of a problem that is already counted, not its words."""
        file = found.span.file if found.span else ""
        self._beyond.setdefault((file, found.code), found)

    def raise_if_any(self) -> None:
        """End with everything that was found, if anything was.

        Raises:
            InputError: With all problems.
        """
        if self:
            raise InputError(self)


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Ask whether the closest of the known words was meant; None if none is close.

    To compare takes as long as there are words, and the square of their length:
    long ones, and those beyond a thousand, are left out.
    """
    if len(wrong) > _LONGEST:
        return None
    short = (word for word in known if len(word) <= _LONGEST)
    lowered = {word.lower(): str(word) for word in islice(short, _CANDIDATES)}
    close = difflib.get_close_matches(wrong.lower(), lowered, n=1)
    return f"did you mean {lowered[close[0]]!r}?" if close else None


def _place(found: Diagnostic) -> Span:
    return found.span or Span("")


class Advice:
    """Asks what was meant, for the first problems only.

    Thousands of wrong names among thousands of right ones would take minutes,
    and nobody reads so many hints.
    """

    def __init__(self) -> None:
        self._left = ADVISED

    def nearest(self, wrong: str, known: Iterable[str]) -> str | None:
        """Ask as `nearest` does, of names with the same numbers; None after enough.

        Args:
            wrong: The word that isn't known.
            known: Not gone through when nothing is asked.
        """
        if self._left <= 0:
            return None
        self._left -= 1
        numbers = _numbers(wrong)
        return nearest(wrong, (word for word in known if _numbers(word) == numbers))


def _numbers(word: str) -> list[int]:
    """Find the numbers in a name: those of neighbours differ, and no hand slipped."""
    return [int(digits) for digits in _DIGITS.findall(word[:_LONGEST])]


def mentioned(span: Span | None) -> tuple[tuple[Span, str], ...]:
    """Point from a file to the manifest that names it."""
    return ((span, "named here"),) if span else ()
