"""What the twin refuses, and under which code a client hears of it.

Clients tell errors apart by `extensions.code`, never by the HTTP status, which
is 200 for all of them: a 5xx would be retried for minutes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """The codes that clients know what to do with."""

    AUTHENTICATION_ERROR = "AUTHENTICATION_ERROR"
    AUTHORIZATION_ERROR = "AUTHORIZATION_ERROR"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"
    MALFORMED_REQUEST = "MALFORMED_REQUEST"
    OPERATION_NOT_ALLOWED = "OPERATION_NOT_ALLOWED"
    RESOURCE_CONFLICT = "RESOURCE_CONFLICT"
    RESOURCE_NOT_FOUND = "RESOURCE_NOT_FOUND"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    UNPROCESSABLE_ENTITY = "UNPROCESSABLE_ENTITY"


STATUS: Final[Mapping[Code, int]] = {
    Code.INTERNAL_SERVER_ERROR: 500,
    Code.SERVICE_UNAVAILABLE: 503,
    Code.UNPROCESSABLE_ENTITY: 422,
}
"""Codes that are sent as `INTERNAL_SERVER_ERROR`, told apart by this status.

Clients ask again for a while when it is 503.
"""


class ApiError(Exception):
    """A refusal that the client is told.

    Attributes:
        code: What the client decides by.
        message: What a person reads.
    """

    def __init__(self, code: Code, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class StoreError(Exception):
    """A store that can't be opened; says why."""


def not_found(kind: str, identifier: str) -> ApiError:
    """Say that an object is gone or never was."""
    return ApiError(Code.RESOURCE_NOT_FOUND, f"{kind} '{identifier}' not found")


def bad_input(message: str) -> ApiError:
    """Say what is wrong with what was sent."""
    return ApiError(Code.BAD_USER_INPUT, message)


def over_quota(message: str) -> ApiError:
    """Say which limit of the organisation leaves no room, and how much there is."""
    return ApiError(Code.OPERATION_NOT_ALLOWED, message)


def busy() -> ApiError:
    """Say that another process writes for too long."""
    return ApiError(Code.SERVICE_UNAVAILABLE, "the store is busy; try again")


def unprocessable(message: str) -> ApiError:
    """Say why something that is well formed can't be made."""
    return ApiError(Code.UNPROCESSABLE_ENTITY, message)
