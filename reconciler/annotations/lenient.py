"""A second look at a line that cannot be read: what it still says, and why not.

Strict reading stops at the first fault. Here a line is taken apart, so that its
other faults are told as well, and so that its owner can be told which it is.
"""

import json
import math
import re
from typing import Any, Final

import msgspec

from reconciler.annotations.problems import Problem, show
from reconciler.annotations.rows import Row, RowName

_TYPES: Final = {one.encode_name: one for one in msgspec.structs.fields(Row)}
_WORDS: Final = {
    "`": "",
    "float": "number",
    "int": "integer",
    "str": "text",
    "bool": "boolean",
    "array": "list",
    " | null": "",
    " | ": " or ",
}
_WORD: Final = re.compile("|".join(map(re.escape, _WORDS)))
_ALIASES: Final = {
    "schemaId": "name",
    "schema_id": "name",
    "custom_metrics": "customMetrics",
}

_LONGEST: Final = 40
_UUID: Final = re.compile(r'"uuid"\s*:\s*"([^"\\]{1,100})"')
_ROW: Final = re.compile(
    r'"dataRow"\s*:\s*\{[^{}]{0,400}?"(id|globalKey)"\s*:\s*("(?:[^"\\]|\\.){0,400}")'
)


class Look(msgspec.Struct, frozen=True):
    """What a second look found.

    Attributes:
        row: The fields that could be read.
        wrong: The other fields; None when not even fields could be made out.
        problems: At least one.
    """

    row: Row
    wrong: frozenset[str] | None
    problems: list[Problem]


def look_again(line: bytes, error: Exception) -> Look:
    """Read what can be read of a line.

    Args:
        line: The line.
        error: Why it could not be read strictly.
    """
    problems: list[Problem] = []
    try:
        found = msgspec.json.decode(line)
    except (ValueError, RecursionError) as broken:
        try:
            found = _mend(json.loads(line.decode(errors="replace")), "", problems)
        except (ValueError, RecursionError):
            is_json = isinstance(broken, msgspec.ValidationError)
            was_read = not isinstance(error, msgspec.ValidationError)
            return _pick(line, error if is_json or was_read else broken)
        if not problems:
            problems = [_unreadable(error)]
    if not isinstance(found, dict):
        message = "the line is no object; it must be {...}"
        return Look(Row(), None, [Problem("NotAnObject", message)])
    return _take_apart(found, problems, error)


def _take_apart(
    found: dict[str, Any], problems: list[Problem], error: Exception
) -> Look:
    wrong = {_root(problem.path) for problem in problems if problem.path}
    fields = {}
    for key, field in _TYPES.items():
        if key in found:
            try:
                fields[field.name] = msgspec.convert(found[key], field.type)
            except msgspec.ValidationError as reason:
                problem = _wrong_type(key, str(reason))
                wrong.add(_root(problem.path))
                problems.append(problem)
    return Look(Row(**fields), frozenset(wrong), problems or [_unreadable(error)])


def unknown_fields(line: bytes) -> list[str]:
    """Find the fields that no line has, in their order; none where it is no object."""
    try:
        found = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (ValueError, RecursionError):
        return []
    return [name for name in found if name not in _TYPES]


def is_about(problem: Problem, wrong: frozenset[str]) -> bool:
    """Tell whether a problem comes only of fields that could not be read."""
    return _root(problem.path) in wrong


def _root(path: str) -> str:
    root = path.partition(".")[0].partition("[")[0]
    return _ALIASES.get(root, root)


def _wrong_type(key: str, reason: str) -> Problem:
    said, _, place = reason.partition(" - at `$")
    path = f"{key}{place.rstrip('`')}".lstrip(".")
    words = _WORD.sub(lambda word: _WORDS[word[0]], said)
    return Problem("WrongType", f"{path}: {words[0].lower()}{words[1:]}", path)


def _unreadable(error: Exception) -> Problem:
    if isinstance(error, msgspec.ValidationError):
        return _wrong_type("", str(error))
    if isinstance(error, RecursionError):
        reason = "it nests too deep"
    elif isinstance(error, UnicodeDecodeError):
        reason = "it isn't UTF-8"
    else:
        reason = str(error).removeprefix("JSON is malformed: ").lower()
    return Problem("NotJson", f"the line is not JSON: {reason}")


def _mend(value: Any, path: str, problems: list[Problem]) -> Any:
    """Find what Python reads as JSON, but isn't; half characters become `?`."""
    match value:
        case float() if not math.isfinite(value):
            message = f"{path or 'the line'} is {value}: JSON has no such number"
            problems.append(Problem("NotFinite", message, path))
        case str():
            mended = value.encode(errors="replace").decode()
            if mended != value:
                message = f"{path or 'the line'} holds half of a surrogate pair"
                problems.append(Problem("NotText", message, path))
            return mended
        case dict():
            return {
                key.encode(errors="replace").decode(): _mend(
                    one, _step(path, key), problems
                )
                for key, one in value.items()
            }
        case list():
            return [_mend(one, f"{path}[{n}]", problems) for n, one in enumerate(value)]
        case _:
            pass
    return value


def _step(path: str, key: str) -> str:
    if len(key) > _LONGEST or not key.isidentifier():
        return f"{path}[{show(key)}]"
    return f"{path}.{key}" if path else key


def _pick(line: bytes, error: Exception) -> Look:
    text = line.decode(errors="replace")
    uuid, row = _UUID.search(text), _ROW.search(text)
    return Look(
        Row(uuid=uuid[1] if uuid else None, data_row=_picked(row) if row else None),
        None,
        [_unreadable(error)],
    )


def _picked(match: re.Match[str]) -> RowName | None:
    try:
        name = msgspec.json.decode(match[2], type=str)
    except ValueError:
        return None
    return RowName(id=name) if match[1] == "id" else RowName(global_key=name)
