"""Tasks that are stopped before they end."""

from typing import Final

from reconciler.server.errors import bad_input
from reconciler.server.execution import Info, Resolvers
from reconciler.server.request import request_of
from reconciler.server.resolvers.identity import seen
from reconciler.server.store import tasks as store
from reconciler.server.store.tasks import LISTED, TaskState


def cancelable_types(_: object, _info: Info) -> list[str]:
    # Clients turn them into the types that tasks have.
    return [_camel(kind) for kind in LISTED]


def cancel(_: object, info: Info, *, identifier: str) -> dict[str, bool]:
    request = request_of(info)
    with request.store.write() as db:
        record = store.find_task(db, identifier, *LISTED)
        state = seen(request, record)
        if state is not TaskState.IN_PROGRESS:
            raise bad_input(
                f"the task '{identifier}' is {state}, and can't be cancelled any more"
            )
        store.cancel_task(db, request.store, record.pk)
    return {"success": True}


def _camel(text: str) -> str:
    first, *rest = text.split("-")
    return first + "".join(word.capitalize() for word in rest)


RESOLVERS: Final[Resolvers] = {
    ("Query", "cancelableTaskTypes"): cancelable_types,
    ("Mutation", "cancelBulkOperationJob"): cancel,
}
