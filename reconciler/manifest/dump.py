"""Documents to YAML that our own loader reads as the same.

Mappings and lists are written as blocks, in the order that they have. A string
stands bare only where no reader of YAML, of version 1.1 or 1.2, takes it for
something else; any other is written in double quotes, as JSON.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.state.canonical import JsonObject, JsonValue

_BARE: Final = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?", re.ASCII)
_WORDS: Final = frozenset({"null", "true", "false", "y", "n", "yes", "no", "on", "off"})

# What YAML refuses as it is, what some of its readers take for a line's end, and
# what turns text around for people.
_UNFIT: Final = re.compile(
    "[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)

_LONGEST_KEY: Final = 1000
"""Characters; readers look for the colon behind a key no further than 1024."""


def dump(documents: Iterable[Mapping[str, JsonValue]]) -> str:
    """Write documents, with `---` between them.

    Args:
        documents: Not empty, none of them; canonical, see `state.canonical`.
    """
    written = ["".join(f"{line}\n" for line in _block(dict(one))) for one in documents]
    return "---\n".join(written)


def _block(value: JsonObject | list[JsonValue]) -> list[str]:
    if isinstance(value, list):
        return [line for item in value for line in _item(item)]
    return [line for key, item in value.items() for line in _entry(key, item)]


def _entry(key: str, item: JsonValue) -> list[str]:
    name = _text(key)
    if len(name) <= _LONGEST_KEY:
        return _after(f"{name}:", item)
    return [f"? {name}", *_after(":", item)]


def _after(head: str, item: JsonValue) -> list[str]:
    if isinstance(item, dict | list) and item:
        return [head, *(f"  {line}" for line in _block(item))]
    return [f"{head} {_inline(item)}"]


def _item(item: JsonValue) -> list[str]:
    if isinstance(item, dict | list) and item:
        first, *rest = _block(item)
        return [f"- {first}", *(f"  {line}" for line in rest)]
    return [f"- {_inline(item)}"]


def _inline(value: JsonValue) -> str:
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    if _BARE.fullmatch(value) and value.lower() not in _WORDS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
