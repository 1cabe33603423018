"""Labels that runs take."""

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.server.execution import Info, Resolvers
from reconciler.server.request import request_of
from reconciler.server.resolvers.membership import end_registration, task_status
from reconciler.server.store import run_labels as store
from reconciler.server.store.experiments import run_number
from reconciler.server.store.membership import whole_or_part
from reconciler.server.store.projects import project_number
from reconciler.server.store.tasks import TaskType


def register_labels(
    _: object,
    info: Info,
    *,
    where: Mapping[str, str],
    data: Mapping[str, Sequence[str]],
) -> str:
    request = request_of(info)
    with request.store.write() as db:
        run_pk = run_number(db, where["id"])
        error = whole_or_part(
            db,
            lambda: store.take_labels(db, run_pk, data["labelIds"]),
            request.settings.unknown_rows,
        )
        return end_registration(db, request, TaskType.LABELS, run_pk, error)


def register_project(_: object, info: Info, *, where: Mapping[str, str]) -> str:
    request = request_of(info)
    with request.store.write() as db:
        run_pk = run_number(db, where["modelRunId"])
        store.take_project(db, run_pk, project_number(db, where["projectId"]))
        return end_registration(db, request, TaskType.LABELS, run_pk, None)


def registration_status(
    _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, str | None]:
    return task_status(info, where["id"], TaskType.LABELS)


RESOLVERS: Final[Resolvers] = {
    ("Query", "MEALabelRegistrationTaskStatus"): registration_status,
    ("Mutation", "createMEAModelRunLabelRegistrationTask"): register_labels,
    ("Mutation", "createMEAModelRunProjectLabelRegistrationTask"): register_project,
}
