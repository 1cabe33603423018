"""How far the training of a run has come: read, and said."""

from reconciler.api import documents
from reconciler.plan.steps import SetStatus
from reconciler.ports import Malformed, NotFound, RemoteError
from reconciler.remote.changing import read_until
from reconciler.remote.payloads import Anything
from reconciler.remote.project_payloads import PipelineData
from reconciler.remote.session import Session
from reconciler.state.address import RemoteId
from reconciler.state.canonical import (
    JsonObject,
    NotCanonicalError,
    canonicalise,
    digest,
)
from reconciler.state.resources import RunStatus, Status


def read_status(session: Session, run: RemoteId) -> RunStatus | None:
    """Read how far a run's training has come; see `ports.Reader.read_status`.

    Metadata that can't be compared exactly is left out, and it is said.

    Raises:
        NotFound: When there is no such run.
        Malformed: When the status is none that we know.
    """
    root = documents.RUN_STATUS.root
    found = session.client.execute(
        documents.RUN_STATUS, PipelineData, modelRunId=run
    ).training_pipeline
    if found is None:
        raise NotFound(f"there is no run {run}", operation=root)
    if found.status is None:
        return None
    try:
        status = Status(found.status)
    except ValueError:
        raise Malformed(
            f"run {run} has the unknown status {found.status!r}", operation=root
        ) from None
    metadata = _metadata(session, run, found.metadata or {})
    return RunStatus(status, metadata, found.error_message)


def set_status(session: Session, step: SetStatus, run: RemoteId) -> None:
    """Say how far a run's training has come, and read it back.

    Raises:
        RemoteError: When what is read back is not what was said.
    """
    wanted = step.status
    data: JsonObject = {"status": wanted.status.value}
    if wanted.metadata:
        data["metadata"] = wanted.metadata
    if wanted.error_message:
        data["errorMessage"] = wanted.error_message
    session.client.execute(documents.SET_STATUS, Anything, modelRunId=run, data=data)
    found = read_until(
        session,
        lambda: read_status(session, run),
        lambda got: not _different(wanted, got),
    )
    if different := _different(wanted, found):
        raise RemoteError(
            f"the status of {step.address} was set, but reads back with another "
            f"{', '.join(different)}",
            operation=documents.SET_STATUS.root,
        )


def _metadata(session: Session, run: RemoteId, given: dict[str, object]) -> JsonObject:
    found: JsonObject = {}
    for key in sorted(given):
        try:
            found[key] = canonicalise(given[key])
        except NotCanonicalError as error:
            session.learnt.tell(
                "status-metadata-left-out",
                f"{key!r} in the status of run {run} can't be compared, and is left "
                f"out: {error.why}",
            )
    return found


def _different(wanted: RunStatus, found: RunStatus | None) -> list[str]:
    if found is None:
        return ["status"]
    different = [] if found.status is wanted.status else ["status"]
    different += [
        f"metadata {key!r}"
        for key, value in wanted.metadata.items()
        if key not in found.metadata or digest(value) != digest(found.metadata[key])
    ]
    if wanted.error_message and found.error_message != wanted.error_message:
        different.append("error message")
    return different
