"""A multipart body becomes the GraphQL request that it carries.

Three parts: `operations` is the request with null where files go, `map` says
which part goes where, then the files. Part names are escaped in their header
and raw in the map, so a single file is taken whatever it is called.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from reconciler.server.errors import ApiError, Code
from reconciler.server.request import Upload

MAX_PARTS: Final = 16
"""How many parts a request may have."""

HEAD_BYTES: Final = 65_536
"""How long the header of a part may be."""

_GAP: Final = b"\r\n\r\n"
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    upload: Upload


def read_multipart(body: bytes, content_type: str) -> dict[str, Any]:
    """Put the files of a multipart request into its variables.

    Raises:
        ApiError: When the body isn't such a request.
    """
    parts = {part.name: part for part in _parts(body, content_type)}
    try:
        operations = msgspec.json.decode(parts.pop("operations").upload.content)
        places = msgspec.json.decode(parts.pop("map").upload.content)
    except KeyError as error:
        raise _malformed(f"the request has no part {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(f"operations or map is not JSON: {error}") from error
    if not isinstance(operations, dict) or not isinstance(places, dict):
        raise _malformed("operations and map must be objects")
    for name, paths in places.items():
        upload = _find(parts, name)
        for path in paths if isinstance(paths, list) else [paths]:
            _place(operations, path, upload)
    return operations


def _malformed(message: str) -> ApiError:
    return ApiError(Code.MALFORMED_REQUEST, message)


def _find(parts: Mapping[str, _Part], name: str) -> Upload:
    if name in parts:
        return parts[name].upload
    if len(parts) == 1:
        return next(iter(parts.values())).upload
    raise _malformed(f"the map names a part {name!r} that isn't there")


def _place(operations: dict[str, Any], path: object, upload: Upload) -> None:
    keys: Sequence[str] = str(path).split(".")
    target: Any = operations
    for key in keys[:-1]:
        target = target.get(key) if isinstance(target, dict) else None
    if not isinstance(target, dict) or target.get(keys[-1]) is not None:
        raise _malformed(f"the map names a place {path!r} that isn't null")
    target[keys[-1]] = upload


def _parts(body: bytes, content_type: str) -> list[_Part]:
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise _malformed("the request names no boundary")
    edge = b"\r\n--" + (match[1] or match[2]).encode("latin-1", "replace")
    parts = list[_Part]()
    start = _after(body, edge)
    while not body.startswith(b"--", start):
        end = body.find(edge, start)
        if end < 0:
            raise _malformed("the request doesn't end with its boundary")
        if len(parts) == MAX_PARTS:
            raise _malformed(f"the request has more than {MAX_PARTS} parts")
        parts.append(_part(body, start, end))
        start = end + len(edge)
    return parts


def _after(body: bytes, edge: bytes) -> int:
    """Find the end of the first boundary."""
    if body.startswith(edge[2:]):
        return len(edge) - 2
    found = body.find(edge)
    if found < 0:
        raise _malformed("the request doesn't end with its boundary")
    return found + len(edge)


def _part(body: bytes, start: int, end: int) -> _Part:
    gap = body.find(_GAP, start, min(end, start + HEAD_BYTES))
    if gap < 0:
        raise _malformed("a part has no end of its header")
    head = body[start:gap]
    # A view: files are large, and a copy of one takes as much again.
    content = memoryview(body)[gap + len(_GAP) : end]
    disposition, content_type = "", None
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            disposition = value
        if name.strip().lower() == "content-type":
            content_type = value.strip()
    found = {name.lower(): value for name, value in _PARAMETER.findall(disposition)}
    return _Part(
        found.get("name", ""),
        Upload(found.get("filename", "file"), content_type, content),
    )
