"""Scalars as they are written to values, by the core schema of YAML 1.2."""

import re
from typing import Final

from reconciler.state.canonical import EXACT

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}
_NUMBER_BEGINS = frozenset("+-.0123456789")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class NumberError(ValueError):
    """A number that JSON can't carry."""


def read_plain(text: str) -> bool | int | float | str | None:
    """Read a scalar without quotes by the core schema of YAML 1.2.

    Raises:
        NumberError: For NaN, infinity, integers from 2^53 on, and floats that
            overflow.
    """
    if text[:1] not in _NUMBER_BEGINS:
        return _WORDS.get(text, text)
    if _INTEGER.fullmatch(text):
        return _exact(text, text.lstrip("+-"), 10)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if value in (float("inf"), float("-inf")):
            raise NumberError(f"{text} is too large for a number of JSON")
        return value
    if _OCTAL.fullmatch(text):
        return _exact(text, text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return _exact(text, text[2:], 16)
    if _NOT_FINITE.fullmatch(text):
        raise NumberError(f"{text} is no number of JSON")
    return text


def _exact(text: str, digits: str, base: int) -> int:
    # int() refuses thousands of decimal digits, and takes long over many others.
    if len(digits.lstrip("0")) <= 18 and (value := int(digits, base)) < EXACT:
        return -value if text.startswith("-") else value
    short = text if len(text) <= 24 else f"{text[:20]}…"
    raise NumberError(f"{short} is beyond 2^53, where numbers of JSON lose digits")
