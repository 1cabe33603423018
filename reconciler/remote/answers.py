"""An HTTP answer to what became of the request, and what may be done about it.

The body decides, not the status: errors come with any status below 500. Above
it, whatever the body says, nobody knows how far the request got.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias

import msgspec

from reconciler.ports import NotFound, RemoteError, Unauthorized
from reconciler.remote.errors import KEY_HINT, Refused

_EXCERPT: Final = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over the wire.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        content: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def request_id(self) -> str | None:
        """The remote's own name for the request, when it tells one."""
        for name in ("x-request-id", "x-cloud-trace-context", "cf-ray"):
            if found := self.headers.get(name):
                return found
        return None


@dataclass(frozen=True, slots=True)
class Answered:
    """Carried out; the data still as text."""

    data: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Limited:
    """Not carried out: too many requests; `told` is the Retry-After header."""

    reason: str
    told: str | None


@dataclass(frozen=True, slots=True)
class Unsent:
    """Never reached the remote.

    Attributes:
        reason: Why.
        again: Whether it makes sense to try once more.
        hint: What to try.
    """

    reason: str
    again: bool
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """Lost, too late, or a server error: carried out or not, nobody knows."""

    reason: str
    told: str | None = None


@dataclass(frozen=True, slots=True)
class Garbled:
    """Answered with what makes no sense: carried out or not, nobody knows."""

    reason: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Not carried out, and not to be tried again."""

    error: RemoteError


Result: TypeAlias = Answered | Limited | Unsent | Broken | Garbled | Denied


class _Extensions(msgspec.Struct):
    code: str | None = None
    exception: object = None


class _Problem(msgspec.Struct):
    message: str | None = None
    extensions: _Extensions | None = None


class _Envelope(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw()
    errors: list[_Problem] | None = None
    message: str | None = None


_decoder: Final = msgspec.json.Decoder(_Envelope)


def understand(reply: Reply) -> Result:
    """Tell what became of a GraphQL request."""
    if reply.status >= 500:
        return Broken(_said(reply), reply.headers.get("retry-after"))
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Limited(_said(reply), reply.headers.get("retry-after"))
    if 300 <= reply.status < 400:
        return Denied(
            Refused(
                f"answered with a redirect ({_status(reply)}), which is not followed "
                "because the key is for this address alone",
                status=reply.status,
                hint="check LABELBOX_ENDPOINT",
            )
        )
    try:
        envelope = _decoder.decode(reply.content)
    except msgspec.MsgspecError:
        return _unreadable(reply)
    if envelope.message and envelope.message.startswith("You have exceeded"):
        return Limited(envelope.message, reply.headers.get("retry-after"))
    if envelope.errors:
        return _problem(envelope.errors, reply.status)
    if reply.status != HTTPStatus.OK:
        return _bare(reply, envelope.message or _status(reply))
    if not bytes(envelope.data):
        return Garbled(f"the answer has no data: {excerpt(reply.content)}")
    return Answered(envelope.data)


def understand_file(reply: Reply) -> Result:
    """Tell what became of a request for a file; its bytes are the data."""
    if reply.status == HTTPStatus.OK:
        return Answered(msgspec.Raw(reply.content))
    if reply.status >= 500:
        return Broken(_said(reply), reply.headers.get("retry-after"))
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Limited(_said(reply), reply.headers.get("retry-after"))
    return Denied(Refused(_said(reply), status=reply.status))


def excerpt(content: bytes) -> str:
    """Show the beginning of a body on one line."""
    text = " ".join(content[: 2 * _EXCERPT].decode(errors="replace").split())
    return text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"


def _problem(problems: list[_Problem], status: int) -> Result:
    first = problems[0]
    code = first.extensions.code if first.extensions else None
    reason = "; ".join(
        dict.fromkeys(problem.message or "no reason given" for problem in problems)
    )
    match code:
        case "AUTHENTICATION_ERROR" | "AUTHORIZATION_ERROR":
            return Denied(Unauthorized(reason, hint=KEY_HINT))
        case "RESOURCE_NOT_FOUND":
            return Denied(NotFound(reason))
        case "INTERNAL_SERVER_ERROR" if _inner_status(first) >= 500:
            return Broken(reason)
        case _:
            return Denied(Refused(reason, code=code, status=status))


def _inner_status(problem: _Problem) -> int:
    found = problem.extensions.exception if problem.extensions else None
    status = found.get("status") if isinstance(found, dict) else None
    return status if isinstance(status, int) else 500


def _unreadable(reply: Reply) -> Result:
    if reply.status == HTTPStatus.OK:
        return Garbled(f"the answer is not JSON: {excerpt(reply.content)}")
    return _bare(reply, _said(reply))


def _bare(reply: Reply, reason: str) -> Result:
    if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Denied(Unauthorized(reason, hint=KEY_HINT))
    if reply.status < 400:
        return Garbled(f"{_status(reply)} instead of an answer")
    return Denied(Refused(reason, status=reply.status))


def _said(reply: Reply) -> str:
    """Take a JSON message word for word; else the status with an excerpt."""
    try:
        message = _decoder.decode(reply.content).message
    except msgspec.MsgspecError:
        message = None
    if message:
        return message
    said = excerpt(reply.content)
    return f"{_status(reply)}: {said}" if said else _status(reply)


def _status(reply: Reply) -> str:
    try:
        return f"{reply.status} {HTTPStatus(reply.status).phrase}"
    except ValueError:
        return str(reply.status)
