"""Exports of runs, projects, slices and the catalog: each is started as a job."""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.server.execution import Info, Resolver, Resolvers
from reconciler.server.exporting.tasks import Subject, start_export
from reconciler.server.request import request_of


def export(subject: Subject) -> Resolver:
    """Make the resolver that exports one kind of subject."""

    def start(_: object, info: Info, *, asked: Mapping[str, Any]) -> dict[str, Any]:
        return start_export(request_of(info), subject, asked)

    return start


RESOLVERS: Final[Resolvers] = {
    ("Mutation", "exportDataRowsInModelRun"): export(Subject.RUN),
    ("Mutation", "exportDataRowsInProject"): export(Subject.PROJECT),
    ("Mutation", "exportDataRowsInCatalog"): export(Subject.CATALOG),
    ("Mutation", "exportDataRowsInSlice"): export(Subject.SLICE),
}
