"""Annotations and metrics as imports: sent once, waited for, and looked into.

An import is known by its name, which nobody else gives. So one whose start is in
doubt is looked for by name, and never started a second time. That lines were refused
shows in a file beside it, which is fetched without the key.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from reconciler.api import documents
from reconciler.api.documents import Document
from reconciler.plan.steps import SendChunk
from reconciler.ports import InDoubt, LinesRefused, Malformed, NotFound
from reconciler.remote.creating import CONFLICT, look_again
from reconciler.remote.errors import Refused, TaskFailed
from reconciler.remote.exports import decoded
from reconciler.remote.finding import or_none
from reconciler.remote.project_payloads import ImportNode, ImportReason, LineStatus
from reconciler.remote.session import Session
from reconciler.remote.tasks import Progress, wait
from reconciler.state.address import RemoteId
from reconciler.state.snapshot import JobState
from reconciler.state.uploads import Family, LineRefusal

T = TypeVar("T")

_LISTED_WITHIN: Final = 30.0
"""Seconds after which an import that was started and can't be found is lost."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Where imports of a family go."""

    create: Document
    look: Document
    reason: Document


_LABELS: Final = _Way(
    documents.CREATE_LABEL_IMPORT,
    documents.LABEL_IMPORT,
    documents.LABEL_IMPORT_REASON,
)
_PREDICTIONS: Final = _Way(
    documents.CREATE_PREDICTION_IMPORT,
    documents.PREDICTION_IMPORT,
    documents.PREDICTION_IMPORT_REASON,
)


def send_chunk(session: Session, step: SendChunk, parent: RemoteId) -> None:
    """Import the lines of a slot into a project or run, and wait for the outcome.

    Raises:
        LinesRefused: When the import ended, and lines were refused.
        TaskFailed: When it came to nothing; with the reason word for word.
        InDoubt: When it can't be found out whether it was started, or it takes
            too long.
    """
    labels = step.family is Family.LABELS
    sending = _Sending(session, _LABELS if labels else _PREDICTIONS, step, parent)
    try:
        sending.send()
    finally:
        if labels:
            session.kept.forget(parent)


@dataclass(frozen=True, slots=True)
class _Sending:
    """An import on its way.

    Attributes:
        session: The connection.
        way: How imports of its family are asked about.
        step: What is sent.
        parent: The project or run that it goes to.
    """

    session: Session
    way: _Way
    step: SendChunk
    parent: RemoteId

    def send(self) -> None:
        earlier = self._look() if self.step.may_exist else None
        if earlier is not None and self._went_well(earlier):
            return
        self._look_into(self._wait(self._create(earlier)))

    def _went_well(self, earlier: ImportNode) -> bool:
        """Take an earlier import for this one, unless nothing is known to be in it."""
        try:
            ended = self._wait(earlier)
        except TaskFailed:
            return False
        try:
            self._look_into(ended)
        except Refused:
            # The file that tells of its lines is kept no longer. Sent again,
            # annotations of the same uuid replace each other.
            return False
        return True

    def _create(self, earlier: ImportNode | None) -> ImportNode:
        document, name = self.way.create, self.step.job
        try:
            made = self.session.client.upload(
                document,
                dict[str, ImportNode],
                self.step.chunk.lines.read(),
                file_name=f"{self.parent}__{name}.ndjson",
                media_type="application/x-ndjson",
                parent=self.parent,
                name=name,
            )
        except InDoubt as doubt:

            def look() -> list[ImportNode]:
                found = self._look()
                if found is None or (earlier is not None and found.id == earlier.id):
                    return []
                return [found]

            return look_again(self.session, f"the import {name!r}", look, doubt)[0]
        except Refused as refusal:
            if refusal.code != CONFLICT:
                raise
            return self._taken(refusal)
        return _only(made, document)

    def _taken(self, refusal: Refused) -> ImportNode:
        """Find the import that has the name already, if it can be this one.

        Raises:
            TaskFailed: When it can't: nobody knows what was sent since it ended.
        """
        if not self.step.may_exist:
            raise TaskFailed(
                f"there is an import {self.step.job!r} already, which wasn't started "
                "by this apply",
                operation=refusal.operation,
                request_id=refusal.request_id,
                hint="apply again: the same lines then go as another import",
            ) from refusal
        if (found := self._look()) is None:
            raise refusal
        return found

    def _look(self) -> ImportNode | None:
        return or_none(self._ask)

    def _ask(self) -> ImportNode:
        document = self.way.look
        found = self.session.client.execute(
            document,
            dict[str, ImportNode | None],
            parent=self.parent,
            name=self.step.job,
        )
        return _only(found, document)

    def _look_into(self, ended: ImportNode) -> None:
        """See what came of the lines of an import."""
        refusals = list(self._refusals(ended))
        if refusals:
            raise LinesRefused(
                refusals, of=self.step.chunk.count, operation=self.way.create.root
            )

    def _wait(self, started: ImportNode) -> ImportNode:
        timing = self.session.client.timing
        began = timing.monotonic()
        latest = started

        def check() -> Progress:
            nonlocal latest
            if latest.state is JobState.RUNNING:
                found = self._look()
                if found is None and timing.monotonic() - began > _LISTED_WITHIN:
                    raise NotFound(
                        f"the import {self.step.job!r} can't be found",
                        operation=self.way.look.root,
                    )
                latest = found or latest
            match latest.state:
                case JobState.RUNNING:
                    return Progress.PENDING
                case JobState.FINISHED:
                    return Progress.COMPLETE
                case JobState.FAILED:
                    raise TaskFailed(self._reason(), operation=self.way.create.root)

        wait(
            check,
            operation=self.way.create.root,
            timing=timing,
            timeout=self.session.bounds.task_timeout,
        )
        return latest

    def _reason(self) -> str:
        try:
            found = self.session.client.execute(
                self.way.reason,
                dict[str, ImportReason | None],
                parent=self.parent,
                name=self.step.job,
            )
            said = _only(found, self.way.reason).error_message
        except (NotFound, Refused):
            said = None  # this remote has no such field, and its own reasons
        return said or "the import failed without a reason"

    def _refusals(self, ended: ImportNode) -> Iterator[LineRefusal]:
        url = ended.error_file_url or ended.status_file_url
        if url is None:
            raise Malformed(
                f"the import {self.step.job!r} is over, and says nothing of its lines",
                operation=self.way.look.root,
            )
        content = self.session.client.download(url)
        operation = self.way.look.root
        for status in decoded(msgspec.json.Decoder(LineStatus), content, operation):
            if status.status != "SUCCESS":
                yield _refusal(status)


def _refusal(status: LineStatus) -> LineRefusal:
    row = status.data_row
    said = [problem.message or problem.name or "" for problem in status.errors or ()]
    return LineRefusal(
        row=(row.global_key or row.id) if row else None,
        uuid=status.uuid,
        reason="; ".join(filter(None, said)) or "no reason given",
    )


def _only(answer: Mapping[str, T | None], document: Document) -> T:
    found = answer.get(document.root)
    if found is None:
        raise NotFound("there is no such import", operation=document.root)
    return found
