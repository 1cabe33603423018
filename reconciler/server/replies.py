"""Answers as WSGI servers take them: a status, headers, and JSON in one piece."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from reconciler.server.access import RateExceeded

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

SOON: Final = ("Retry-After", "1")
"""The header by which clients know that asking again will help."""


def say_exceeded(
    start_response: "StartResponse", exceeded: RateExceeded
) -> list[bytes]:
    """Say in the real service's words when to come back."""
    message = (
        f"You have exceeded {exceeded.limit} requests a minute; "
        f"try again in {exceeded.seconds} s"
    )
    return say(
        start_response,
        HTTPStatus.TOO_MANY_REQUESTS,
        message,
        ("Retry-After", str(exceeded.seconds)),
    )


def say(
    start_response: "StartResponse",
    status: HTTPStatus,
    message: str,
    *more: tuple[str, str],
) -> list[bytes]:
    """Answer with a message, and more headers."""
    return send(
        start_response, status, msgspec.json.encode({"message": message}), *more
    )


def send(
    start_response: "StartResponse",
    status: HTTPStatus,
    body: bytes,
    *more: tuple[str, str],
) -> list[bytes]:
    """Answer with JSON, and more headers."""
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *more,
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
