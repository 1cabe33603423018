"""How the remote's refusals are told apart, beyond what the ports promise."""

import re
from typing import Final

from reconciler.ports import RemoteError

KEY_HINT: Final = (
    "check LABELBOX_API_KEY; keys expire after six months at the latest, "
    "and see only what their owner's role may see"
)


class Refused(RemoteError):  # noqa: N818  # a sibling of those in ports
    """The remote understood, and said no.

    Attributes:
        code: Its own code for the refusal, when it gave one.
        status: The HTTP status.
    """

    def __init__(
        self,
        reason: str,
        *,
        code: str | None = None,
        status: int | None = None,
        operation: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.code = code
        self.status = status
        super().__init__(reason, operation=operation, request_id=request_id, hint=hint)

    @property
    def about_size(self) -> bool:
        """Whether a smaller request may be accepted."""
        return (
            self.status == 413
            or self.code == "PAYLOAD_TOO_LARGE"
            or _SIZE_WORDS.search(self.reason) is not None
        )


class TaskFailed(RemoteError):  # noqa: N818
    """A job that the remote had accepted came to nothing; its own words."""

    job_failed = True


_SIZE_WORDS: Final = re.compile(
    r"\b(too (large|big|many|long)|complexity|at most|exceed(s|ed|ing)?|maximum|limit)\b",
    re.IGNORECASE,
)
