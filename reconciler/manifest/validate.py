"""Documents to manifests: the shapes' objections, each with its place."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.diagnostics import Diagnostic
from reconciler.manifest.document import Document
from reconciler.manifest.scalars import read_plain
from reconciler.manifest.schema import API_VERSION, KINDS, AnyManifest, Shape
from reconciler.rows.problems import nearest

Path: TypeAlias = tuple[str | int, ...]

_TAKES: Final = {
    "string_type": "a string",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "none_required": "null",
}
"""The objections of pydantic to a value's type, by what would have been right."""

_LIMITS: Final = {
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "can't be empty",
}
"""The objections of pydantic to a value, by the rule in our words."""

_KEY: Final = "[key]"
"""How pydantic ends a location that means a key, not its value."""


@dataclass(frozen=True, slots=True)
class Found:
    """An objection, at a path that exists or would exist in the document."""

    path: Path
    error: ErrorDetails


def validate(document: Document) -> tuple[AnyManifest | None, tuple[Diagnostic, ...]]:
    """Check a document against the shape of its kind.

    Returns:
        The manifest, or None and everything that is wrong with the document.
    """
    shape, problems = _shape(document)
    if shape is None or problems:
        return None, problems
    try:
        return shape.model_validate(document.data), ()
    except ValidationError as error:
        found = [
            Found(_real(document.data, details), details)
            for details in error.errors(include_url=False)
        ]
        return None, tuple(_diagnostics(document, shape, found))


def _shape(
    document: Document,
) -> tuple[type[AnyManifest] | None, tuple[Diagnostic, ...]]:
    data = document.data
    if not isinstance(data, dict):
        hint = f"begin with `apiVersion: {API_VERSION}` and `kind:`"
        return None, (_problem(document, (), "wrong-type", _no_mapping(data), hint),)
    problems = []
    version = data.get("apiVersion", API_VERSION)
    if version != API_VERSION:
        message = f"{_shown(version)} is no apiVersion that is known here"
        problems.append(
            _problem(
                document,
                ("apiVersion",),
                "unknown-api-version",
                message,
                f"write `apiVersion: {API_VERSION}`",
            )
        )
    kinds = f"the kinds are {', '.join(KINDS)}"
    if "kind" not in data:
        message = "a document needs `kind`"
        problems.append(_problem(document, (), "missing-field", message, kinds))
        return None, tuple(problems)
    kind = data["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        message = f"{_shown(kind)} is no kind of document"
        hint = nearest(str(kind), KINDS) or kinds
        problems.append(_problem(document, ("kind",), "unknown-kind", message, hint))
        return None, tuple(problems)
    return KINDS[kind], tuple(problems)


def _no_mapping(data: object) -> str:
    return f"a document is a mapping, not {_shown(data)}"


def _problem(
    document: Document, path: Path, code: str, message: str, hint: str | None
) -> Diagnostic:
    return Diagnostic(code=code, message=message, span=document.span(path), hint=hint)


def _real(data: object, details: ErrorDetails) -> Path:
    """Leave out of a location what pydantic put there to name a union's member."""
    path: Path = ()
    *around, last = details["loc"] or ("",)
    for part in around:
        inner = _item(data, part)
        if inner is not _NOTHING:
            path, data = (*path, part), inner
    if details["type"] == "missing" or _item(data, last) is not _NOTHING:
        path = (*path, last)
    return path


_NOTHING: Final = object()


def _item(data: object, part: str | int) -> object:
    if isinstance(data, dict):
        return data.get(part, _NOTHING)
    if isinstance(data, list) and isinstance(part, int):
        return data[part]
    return _NOTHING


def _diagnostics(
    document: Document, shape: type[Shape], found: Sequence[Found]
) -> Iterator[Diagnostic]:
    """Say every objection once.

    Each member of a union objects. Where one of them took the type and found
    something wrong inside, what the others say about the type is noise; where
    none did, they are said together. A missing field isn't said where it is
    probably there, but misspelt: the unknown field's hint says so.
    """
    misspelt: dict[Path, list[str]] = {}
    for each in found:
        if each.error["type"] == "extra_forbidden":
            misspelt.setdefault(each.path[:-1], []).append(str(each.path[-1]))
    ruled_out = {
        each.path[:length] for each in found for length in range(len(each.path))
    } | {each.path for each in found if each.error["type"] not in _TAKES}
    takes: dict[Path, list[str]] = {}
    for each in found:
        if what := _TAKES.get(each.error["type"]):
            if each.path not in ruled_out:
                takes.setdefault(each.path, []).append(what)
        elif each.error["type"] != "missing" or not _is_among(each.path, misspelt):
            yield _diagnostic(document, shape, each)
    for path, alternatives in takes.items():
        yield _wrong_type(document, path, tuple(dict.fromkeys(alternatives)))


def _is_among(missing: Path, misspelt: Mapping[Path, Sequence[str]]) -> bool:
    beside = misspelt.get(missing[:-1], ())
    return any(nearest(name, [str(missing[-1])]) for name in beside)


def _diagnostic(document: Document, shape: type[Shape], found: Found) -> Diagnostic:
    path, error = found.path, found.error
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return _unknown_field(document, shape, path)
        case "missing":
            message = f"{_subject(shape, path[:-1])} needs `{path[-1]}`"
            return _problem(document, path[:-1], "missing-field", message, None)
        case "literal_error":
            return _no_choice(document, path, context["expected"])
        case kind if kind in _LIMITS:
            rule = _LIMITS[kind].format(**context)
            message = f"{_subject(shape, path)} {rule}"
            return _problem(document, path, "wrong-value", message, None)
        case code:
            at = (*path, context["at"]) if "at" in context else path
            is_key = error["loc"][-1:] == (_KEY,) or "at" in context
            return Diagnostic(
                code=code,
                message=f"{_subject(shape, at)} {error['msg']}",
                span=document.key_span(at) if is_key else document.span(at),
                hint=context.get("advice"),
            )


def _unknown_field(document: Document, shape: type[Shape], path: Path) -> Diagnostic:
    *parents, name = path
    fields = sorted(_fields(_schema(shape), parents))
    return Diagnostic(
        code="unknown-field",
        message=f"{_subject(shape, tuple(parents))} has no field `{name}`",
        span=document.key_span(path),
        hint=nearest(str(name), fields) or f"the fields are {', '.join(fields)}",
    )


@functools.cache
def _schema(shape: type[Shape]) -> dict[str, Any]:
    return shape.model_json_schema()


def _no_choice(document: Document, path: Path, expected: str) -> Diagnostic:
    choices = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    value = _at(document.data, path)
    hint = nearest(value, choices) if isinstance(value, str) else None
    return _problem(
        document,
        path,
        "wrong-value" if isinstance(value, str) else "wrong-type",
        f"`{_dotted(path)}` can't be {_shown(value)}",
        hint or f"the choices are {', '.join(choices)}",
    )


def _wrong_type(document: Document, path: Path, takes: Sequence[str]) -> Diagnostic:
    value = _at(document.data, path)
    hint = None
    if value is None:
        hint = "leave the field out, or give it a value"
    elif "a string" in takes and not isinstance(value, list | dict):
        hint = f'put it in quotes: "{document.written(path)}"'
    elif isinstance(value, str) and not isinstance(read_plain(value), str):
        hint = "take the quotes away"
    *others, last = takes
    choice = f"{', '.join(others)} or {last}" if others else last
    message = f"`{_dotted(path)}` takes {choice}, not {_shown(value)}"
    return _problem(document, path, "wrong-type", message, hint)


def _at(data: object, path: Path) -> object:
    for part in path:
        data = _item(data, part)
    return data


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"{value!r}" if len(value) <= 40 else f"{value[:37]!r}…"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _subject(shape: type[Shape], path: Path) -> str:
    return f"`{_dotted(path)}`" if path else str(shape.model_config["title"])


def _fields(schema: dict[str, Any], path: Sequence[str | int]) -> set[str]:
    """Collect the fields that the shape has at *path*, by its JSON Schema."""
    definitions = schema.get("$defs", {})
    level = list(_members(schema, definitions))
    for part in path:
        level = [
            member
            for outer in level
            for inner in [_inside(outer, part)]
            for member in _members(inner, definitions)
        ]
    return {field for member in level for field in member.get("properties", ())}


def _members(
    schema: dict[str, Any], definitions: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        yield from _members(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    elif "properties" in schema:
        yield schema
    else:
        for member in schema.get("anyOf", schema.get("oneOf", ())):
            yield from _members(member, definitions)
        if not {"anyOf", "oneOf"} & schema.keys():
            yield schema


def _inside(schema: dict[str, Any], part: str | int) -> dict[str, Any]:
    if isinstance(part, int):
        found = schema.get("items")
    else:
        found = schema.get("properties", {}).get(
            part, schema.get("additionalProperties")
        )
    return found if isinstance(found, dict) else {}
