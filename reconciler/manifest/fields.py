"""Types of the fields that several shapes have.

Objections are `PydanticCustomError`s: the type is the code of the diagnostic,
the words follow the name of the field, `advice` becomes the hint, and `at` names
the inner field that is to blame.
"""

import re
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, Field, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError

from reconciler.rows.splits import HASHED, split_hint, split_of
from reconciler.state.resources import Split


class _Given:
    """Marks an optional field that may be absent, but not null."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        given = [kind for kind in get_args(source) if kind is not type(None)]
        return handler(reduce(or_, given))


GIVEN: Final = _Given()

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _name(text: str) -> str:
    if not text:
        raise PydanticCustomError("wrong-value", "can't be empty")
    if _CONTROL.search(text):
        raise PydanticCustomError("wrong-value", "can't hold control characters")
    if text != text.strip():
        raise PydanticCustomError("wrong-value", "can't begin or end with white space")
    return text


Name: TypeAlias = Annotated[
    str,
    AfterValidator(_name),
    Field(json_schema_extra={"minLength": 1, "pattern": r"^\S(.*\S)?$"}),
]


def _split(text: str) -> str:
    if split_of(text) is None or not text:
        raise PydanticCustomError(
            "unknown-split", "is no split", {"advice": split_hint(text)}
        )
    return text


AnySplit: TypeAlias = Annotated[
    str, AfterValidator(_split), Field(json_schema_extra={"enum": list(Split)})
]
HashedSplit: TypeAlias = Annotated[
    str, AfterValidator(_split), Field(json_schema_extra={"enum": list(HASHED)})
]

_SLICE = re.compile(r"\[([0-9]{0,15}):([0-9]{0,15})\]", re.ASCII)


def read_slice(text: str) -> tuple[int | None, int | None]:
    """Read the bounds of a slice such as `[:100]`; None is open.

    Raises:
        PydanticCustomError: When it isn't one.
    """
    found = _SLICE.fullmatch(text)
    if not found:
        raise PydanticCustomError(
            "split-position",
            "is no slice",
            {"advice": "write it as [:100], [100:150] or [150:]"},
        )
    start, stop = (int(bound) if bound else None for bound in found.groups())
    return start, stop


def _slice(text: str) -> str:
    read_slice(text)
    return text


Slice: TypeAlias = Annotated[
    str,
    AfterValidator(_slice),
    Field(json_schema_extra={"pattern": r"^\[[0-9]*:[0-9]*\]$"}),
]


def _only_empty(items: list[Any]) -> list[Any]:
    if items:
        raise PydanticCustomError(
            "wrong-value",
            "can only be the empty list",
            {"advice": "put the names under `globalKeys:` or `dataRowIds:`"},
        )
    return items


NoRows: TypeAlias = Annotated[
    list[Any], AfterValidator(_only_empty), Field(json_schema_extra={"maxItems": 0})
]


def exactly_one(shape: BaseModel, *fields: str) -> None:
    """Check that one of some optional fields is given, and no other.

    Raises:
        PydanticCustomError: When none is, or several are.
    """
    given = [field for field in fields if getattr(shape, field) is not None]
    names = [f"`{to_camel(field)}`" for field in fields]
    choice = f"{', '.join(names[:-1])} or {names[-1]}"
    if not given:
        raise PydanticCustomError("missing-field", "needs {choice}", {"choice": choice})
    if len(given) > 1:
        raise PydanticCustomError(
            "wrong-value",
            "is one too many: give only one of {choice}",
            {"choice": choice, "at": to_camel(given[1])},
        )


def require_one(*fields: str) -> dict[str, Any]:
    """Say to editors what `exactly_one` checks, as JSON Schema."""
    return {"oneOf": [{"required": [field]} for field in fields]}
