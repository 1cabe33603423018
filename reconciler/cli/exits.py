"""What a command's exit code means; scripts may rely on it."""

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended; where several hold, see `worst`."""

    DONE = 0
    """All is well, and what was asked for is done."""
    ERROR = 1
    """An error, and nothing was done."""
    CHANGES = 2
    """There are changes; only with `plan --detailed-exitcode`."""
    BLOCKED = 3
    """A guard holds something back; nothing was done."""
    STALE = 4
    """The plan no longer fits what is there; nothing was done."""
    PARTIAL = 5
    """Some steps were done, others failed."""
    UNCONVERGED = 6
    """Done, but a new plan isn't empty, or is blocked; or nobody can tell."""
    USAGE = 64
    """The command line is wrong, or a question had nobody to answer it."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C."""
    TERMINATED = 143
    """Stopped by SIGTERM."""


_PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.TERMINATED,
    Exit.ERROR,
    Exit.STALE,
    Exit.BLOCKED,
    Exit.PARTIAL,
    Exit.UNCONVERGED,
)


def worst(*found: Exit) -> Exit:
    """Choose the code that says most, when several hold."""
    return next((code for code in _PRECEDENCE if code in found), Exit.DONE)
