"""Canonical JSON, written quickly: every annotation is named by its bytes."""

import re
from typing import Final

import msgspec

from reconciler.state import canonical
from reconciler.state.canonical import JsonValue

_quick: Final = msgspec.json.Encoder(order="sorted").encode
_DOUBTFUL: Final = re.compile(
    rb"""[^ -~]|\\|null  # texts that need care; NaN is written as null
       | (?:^|[,:\[])-?(?:\d[\d.]*[eE]|\d+\.0(?:[,\]}]|$)|\d{16})""",
    re.VERBOSE,
)
"""What may be written otherwise than RFC 8785 does, or should be refused."""


def canonical_bytes(value: JsonValue) -> bytes:
    """Write what `state.canonical.canonical_bytes` writes, many times as fast.

    Only what is the same for sure is written here: ASCII without escapes, and
    numbers without exponents.
    """
    try:
        quick = _quick(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return canonical.canonical_bytes(value)
    if _DOUBTFUL.search(quick):
        return canonical.canonical_bytes(value)
    return quick
