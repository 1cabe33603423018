"""What is wrong with a row, in words that a person can act on."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec

_SHOWN: Final = 80
_SHORTEST: Final = 3
_LONGEST: Final = 64


class Problem(msgspec.Struct, frozen=True, gc=False):
    """One thing that is wrong with a row.

    Attributes:
        name: A word for its sort that stays the same, such as `UnknownFeature`.
        message: What is wrong, where, and what would be right.
        path: The place in the row, such as `classifications[0].answer.name`;
            empty for the row as a whole.
    """

    name: str
    message: str
    path: str = ""


def show(value: object) -> str:
    """Quote a value of the user's, cut where it is long."""
    text = repr(value)
    if len(text) <= _SHOWN:
        return text
    quote = text[0] if text[0] in "'\"" else ""
    return f"{text[: _SHOWN - 4]}...{quote}"


def hint(wrong: str, known: Iterable[str]) -> str:
    """Ask whether a known word was meant that is one slip away; "" if none is.

    A slip is a letter too many, a letter too few, another letter, or two that
    changed places. This is asked for every bad row of an import, so that words
    are looked up, not compared.
    """
    if len(wrong) > _LONGEST:
        return ""
    near = _by_slip(tuple(word for word in known if len(word) <= _LONGEST))
    meant = next((near[form] for form in _slips(wrong) if form in near), None)
    return f"; did you mean {meant!r}?" if meant is not None else ""


@lru_cache(maxsize=64)
def _by_slip(known: tuple[str, ...]) -> dict[str, str]:
    near: dict[str, str] = {}
    for word in known:
        for form in _slips(word):
            near.setdefault(form, word)
    return near


def _slips(word: str) -> Iterator[str]:
    """Spell a word in lower case, whole and without each letter.

    Two words are one slip apart when they have such a form in common. Short
    words are all alike, and only spelled whole.
    """
    lowered = word.lower()
    yield lowered
    if len(lowered) >= _SHORTEST:
        for n in range(len(lowered)):
            yield lowered[:n] + lowered[n + 1 :]
