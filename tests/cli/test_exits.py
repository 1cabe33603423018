"""Which exit code, and which code of a diagnostic."""

import pytest

from reconciler.cli.common import remote_code
from reconciler.cli.exits import Exit, worst
from reconciler.diagnostics import CATALOGUE
from reconciler.ports import InDoubt, RemoteError
from reconciler.remote import errors


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((), Exit.DONE),
        ((Exit.DONE,), Exit.DONE),
        ((Exit.UNCONVERGED, Exit.PARTIAL), Exit.PARTIAL),
        ((Exit.PARTIAL, Exit.BLOCKED), Exit.BLOCKED),
        ((Exit.BLOCKED, Exit.STALE), Exit.STALE),
        ((Exit.STALE, Exit.ERROR), Exit.ERROR),
        ((Exit.ERROR, Exit.TERMINATED), Exit.TERMINATED),
        ((Exit.TERMINATED, Exit.INTERRUPTED), Exit.INTERRUPTED),
    ],
)
def test_the_code_that_says_most_is_chosen(
    found: tuple[Exit, ...], expected: Exit
) -> None:
    assert worst(*found) is expected
    assert worst(*reversed(found)) is expected


def test_every_error_of_a_remote_has_a_code_in_the_catalogue() -> None:
    # Other tests have errors of their own, which are there once they are loaded.
    every: list[type[RemoteError]] = [RemoteError, *RemoteError.__subclasses__()]
    kinds = {kind for kind in every if kind.__module__.startswith("reconciler.")}

    assert {errors.Refused, errors.TaskFailed, InDoubt} <= kinds
    codes = {remote_code(kind) for kind in kinds}
    assert codes - CATALOGUE.keys() == set()
    assert len(codes) == len(kinds)
