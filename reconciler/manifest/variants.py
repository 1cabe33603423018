"""One of several runs that a document declares: its name, and what it sets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic
from reconciler.state.address import Address
from reconciler.state.canonical import JsonObject, JsonValue, canonical_bytes

Values: TypeAlias = Mapping[str, JsonValue]
"""A value for each axis, by its dotted path into the config; canonical."""

PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
"""How the name of a run, or of a file, holds an axis."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the runs that a document declares.

    Attributes:
        address: The run.
        values: What the matrix sets; empty for a document without one.
    """

    address: Address
    values: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expansion:
    """The runs of a document; none where something is wrong with its matrix."""

    variants: tuple[Variant, ...]
    problems: tuple[Diagnostic, ...] = ()


def fill(text: str, values: Values) -> str:
    """Put values in the place of axes; without any, braces are only braces."""
    if not values:
        return text
    return PLACEHOLDER.sub(lambda found: text_of(values[found[1]]), text)


def text_of(value: JsonValue) -> str:
    """Write a value as names hold it: a text as it is, others as RFC 8785 does."""
    return value if isinstance(value, str) else canonical_bytes(value).decode()


def describe(values: Values) -> str:
    """Say values in one line: `optimizer.lr = 0.1, seed = 1`."""
    return ", ".join(
        f"{axis} = {canonical_bytes(value).decode()}" for axis, value in values.items()
    )


def lay(values: Values, config: JsonObject) -> JsonObject:
    """Set values in a config, by their paths; it is copied where it changes."""
    for axis, value in values.items():
        config = _set(config, axis.split("."), value)
    return config


def _set(config: JsonObject, path: Sequence[str], value: JsonValue) -> JsonObject:
    key, *rest = path
    if not rest:
        return {**config, key: value}
    inner = config.get(key)
    return {**config, key: _set(inner if isinstance(inner, dict) else {}, rest, value)}
