"""Labelbox's API to Current, and steps to its requests."""

import sys

# httpx imports its own command line, with rich and pygments, where those are
# installed: 40 ms that nobody here needs. None makes that one import fail, which
# httpx is prepared for.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # as documented
