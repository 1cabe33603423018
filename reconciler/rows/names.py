"""What data rows and labels may be called."""

import re
from typing import Final

from reconciler.state.resources import RowIdentity

LONGEST: Final = 200
"""How many characters Labelbox takes as a global key."""

_SPACES: Final = re.compile(r"^\s|\s$|\s\s")
# One name a line is how names are locked, digested and saved with a plan; a
# lone surrogate is no text at all.
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def check_name(name: str, by: RowIdentity) -> tuple[str, str] | None:
    """Say what is wrong with a name: a code and a message, or None."""
    what = "global key" if by is RowIdentity.GLOBAL_KEY else "data row id"
    is_key = by is RowIdentity.GLOBAL_KEY
    if not name.strip():
        return "key-length" if is_key else "row-invalid", f"the {what} is empty"
    if is_key and len(name) > LONGEST:
        return (
            "key-length",
            f"the {what} has {len(name)} characters; {LONGEST} are allowed",
        )
    if is_key and _SPACES.search(name):
        return (
            "key-spaces",
            f"the {what} {name!r} has leading, trailing or doubled white space",
        )
    return _unfit(name, what)


def check_label_id(name: str) -> tuple[str, str] | None:
    """Say what is wrong with the id of a label: a code and a message, or None."""
    if not name.strip():
        return "row-invalid", "the label id is empty"
    return _unfit(name, "label id")


def _unfit(name: str, what: str) -> tuple[str, str] | None:
    if unfit := _UNFIT.search(name):
        return (
            "row-invalid",
            f"the {what} {name!r} holds the control character U+{ord(unfit[0]):04X}",
        )
    return None
