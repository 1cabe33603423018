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

from reconciler.rows.problems import nearest
from reconciler.rows.splits import HASHED, split_hint, split_of
from reconciler.state.resources import Split, Status


class _Given:
    """Marks an optional field that may be absent, but not null."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        given = [kind for kind in get_args(source) if kind is not type(None)]
        return handler(reduce(or_, given))


GIVEN: Final = _Given()

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def name_objection(text: str) -> str | None:
    """Say why a text can't be a name; None when it can."""
    if not text:
        return "can't be empty"
    if _CONTROL.search(text):
        return "can't hold control characters"
    if text != text.strip():
        return "can't begin or end with white space"
    return None


def _name(text: str) -> str:
    if why := name_objection(text):
        raise PydanticCustomError("wrong-value", "{why}", {"why": why})
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


def _none(text: str) -> str:
    if text != "none":
        raise PydanticCustomError(
            "wrong-value",
            "can't be {text}",
            {
                "text": repr(text),
                "advice": "write `none`, or say where they are from: "
                "`{project: NAME}`, `{lock: PATH}` or `{labelIds: [...]}`",
            },
        )
    return text


NoLabels: TypeAlias = Annotated[
    str, AfterValidator(_none), Field(json_schema_extra={"const": "none"})
]


def _status(text: str) -> str:
    if text not in list(Status):
        raise PydanticCustomError(
            "wrong-value",
            "can't be {text}",
            {
                "text": repr(text),
                "advice": nearest(text, Status)
                or f"the choices are {', '.join(Status)}",
            },
        )
    return text


AnyStatus: TypeAlias = Annotated[
    str, AfterValidator(_status), Field(json_schema_extra={"enum": list(Status)})
]

Scalar: TypeAlias = str | int | float | bool
"""A value that has no values inside."""


def _digest(text: str) -> str:
    if not _DIGEST.fullmatch(text):
        raise PydanticCustomError(
            "wrong-value",
            "is no digest",
            {"advice": "a digest is `sha256:` and 64 digits of 0-9 and a-f"},
        )
    return text


_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

Digest: TypeAlias = Annotated[
    str,
    AfterValidator(_digest),
    Field(json_schema_extra={"pattern": r"^sha256:[0-9a-f]{64}$"}),
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


def needs(shape: BaseModel, field: str, other: str) -> None:
    """Check that an optional field isn't given without another one.

    Raises:
        PydanticCustomError: When it is.
    """
    if getattr(shape, field) is not None and getattr(shape, other) is None:
        name = to_camel(other)
        advice = f"leave it out, or give `{name}` too"
        raise no_use(to_camel(field), f"without `{name}`", advice=advice)


def no_use(
    field: str, when: str, *, advice: str = "leave it out"
) -> PydanticCustomError:
    """Say that an inner field can't be given like this.

    Args:
        field: The field, as it is written.
        when: Follows "has no use".
        advice: What to do about it.
    """
    return PydanticCustomError(
        "wrong-value",
        "has no use {when}",
        {"when": when, "at": field, "advice": advice},
    )


def require_one(*fields: str) -> dict[str, Any]:
    """Say to editors what `exactly_one` checks, as JSON Schema."""
    return {"oneOf": [{"required": [field]} for field in fields]}
