"""One form for equal values, so that both sides of a diff can be compared.

JSON has one type of number and no order of keys: 1 is 1.0 (and neither is
true), -0 is 0. What can't survive a trip through JSON and a JavaScript server
(NaN, infinities, integers beyond 2^53) is refused, never rounded.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Final, TypeAlias

import rfc8785

JsonValue: TypeAlias = (
    bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
)
JsonObject: TypeAlias = dict[str, JsonValue]

EXACT: Final = 2**53
"""The first integer that a double can't tell from its neighbour."""


class NotCanonicalError(ValueError):
    """A value that JSON can't carry exactly; says which and why.

    Attributes:
        path: Keys and positions from the root to the value.
    """

    def __init__(self, path: tuple[str | int, ...], why: str) -> None:
        self.path = path
        self.why = why
        super().__init__(why)


def canonicalise(value: object, path: tuple[str | int, ...] = ()) -> JsonValue:
    """Turn a JSON-like value into the one form that equals compare as.

    Floats without a fraction become integers; mappings get sorted keys.

    Raises:
        NotCanonicalError: For NaN, infinity, integers beyond 2^53, keys that
            aren't strings, lone surrogates, and types that JSON doesn't have.
    """
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, path)
        case int() | float():
            return _number(value, path)
        case list() | tuple():
            return [canonicalise(item, (*path, n)) for n, item in enumerate(value)]
        case Mapping():
            return {
                _key(key, path): canonicalise(value[key], (*path, key))
                for key in sorted(value, key=str)
            }
        case _:
            raise NotCanonicalError(path, f"{type(value).__name__} is no JSON type")


def canonical_object(value: Mapping[str, object]) -> JsonObject:
    """Canonicalise a mapping; see `canonicalise`."""
    done = canonicalise(value)
    assert isinstance(done, dict)
    return done


def canonical_bytes(value: JsonValue) -> bytes:
    """Write a value as RFC 8785 (JCS) JSON: the same bytes on any machine."""
    return rfc8785.dumps(value)


def digest(value: JsonValue) -> str:
    """Name a value by `sha256:` and the hash of its canonical bytes."""
    return f"sha256:{hashlib.sha256(canonical_bytes(value)).hexdigest()}"


def _text(value: str, path: tuple[str | int, ...]) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotCanonicalError(path, "a lone surrogate is no text") from None
    return value


def _number(value: float, path: tuple[str | int, ...]) -> int | float:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotCanonicalError(path, f"{value} is no JSON number")
        if not value.is_integer() or abs(value) >= EXACT:
            return value
        value = int(value)
    if abs(value) >= EXACT:
        raise NotCanonicalError(
            path, f"{value} is beyond 2^53, where JSON numbers lose digits"
        )
    return value


def _key(key: object, path: tuple[str | int, ...]) -> str:
    if not isinstance(key, str):
        raise NotCanonicalError(path, f"the key {key!r} is not a string")
    return _text(key, path)
