"""Ids as the real service shapes them, unique across stores."""

import hashlib
import secrets
import uuid
from base64 import b32encode
from collections.abc import Callable, Iterator

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def cuids(milliseconds: int) -> Iterator[str]:
    """Make ids of 25 characters: `c`, eight for the time, sixteen at random.

    The time in front keeps the index of a large import together.
    """
    moment = ""
    for _ in range(8):
        milliseconds, digit = divmod(milliseconds, 36)
        moment = _DIGITS[digit] + moment
    prefix = f"c{moment}"
    while True:
        yield prefix + b32encode(secrets.token_bytes(10)).decode().lower()


def new_uuid() -> str:
    """Make a random UUID, the shape of models, runs and tasks on runs."""
    return str(uuid.uuid4())


def run_row_ids(run_id: str) -> Callable[[str], str]:
    """Name the rows of a run, given the ids of their data rows.

    The id is computed and not kept: a row has the same one whenever it is in
    the run, and a million of them cost no room.
    """
    start = hashlib.blake2b(run_id.encode(), digest_size=16)

    def name(row_id: str) -> str:
        digest = start.copy()
        digest.update(row_id.encode())
        text = digest.hexdigest()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    return name


def part_ids(owner: str) -> Callable[[str], str]:
    """Name the parts of an object, given what tells them apart.

    Like the rows of a run, parts have computed ids: the same ones whenever they
    are looked at. They have 25 characters, as clients demand of features.
    """
    start = hashlib.blake2b(f"{owner}\n".encode(), digest_size=12)

    def name(part: str) -> str:
        digest = start.copy()
        digest.update(part.encode())
        return f"c{digest.hexdigest()}"

    return name
