"""uuids for annotations that have none: the same ones whenever they are made.

An import replaces what has the same uuid. So an annotation that is sent again
must be sent with the uuid it had, though nobody wrote it down.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid5

from reconciler.annotations.quick import canonical_bytes
from reconciler.state.canonical import JsonValue

NAMESPACE: Final = UUID("af62fa8f-6dbe-592d-baa5-6e853450e9d5")
"""The namespace of derived uuids, for ever: the uuid5 of `annotations.reconciler`
in the namespace of DNS names."""


def derived_uuid(
    owner: Sequence[str], row: str, feature: str, content: JsonValue, n: int
) -> str:
    """Name an annotation by what it is of and what it says; canonical, version 5.

    The name is the RFC 8785 JSON of `[*owner, row, feature, content, n]`.

    Args:
        owner: What it is in, such as `("run", model, run)` or `("project", name)`.
        row: Its data row, as lines name it.
        feature: What it is made with, as exports name it.
        content: What it says (see `annotations.content`), or what stands for
            all that it may ever say.
        n: Counts those of one row that are the same in all of this, from 0.
    """
    name = canonical_bytes([*owner, row, feature, content, n])
    return str(uuid5(NAMESPACE, name.decode()))
