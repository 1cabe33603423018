"""Labels of projects, and benchmarks among them."""

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.request import request_of
from reconciler.server.shapes import Cut
from reconciler.server.store import labels as store
from reconciler.server.store.label_views import read_label
from reconciler.server.store.project_views import benchmark_view, label_view
from reconciler.server.store.tables import labels


def label(_: object, info: Info, *, where: Mapping[str, str]) -> Cut:
    request = request_of(info)
    with request.store.read() as db:
        fields = label_view(db, request.urls)
        return Cut(read_label(db, fields, shape_of(info), where["id"]))


def delete_labels(
    _: object, info: Info, *, label_ids: Sequence[str]
) -> list[dict[str, str]]:
    request = request_of(info)
    with request.store.write() as db:
        found = store.delete_labels(db, request.store, *store.by_ids(label_ids))
    return [{"id": one} for one in found]


def benchmark(_: object, info: Info, *, where: Mapping[str, str]) -> Cut:
    request = request_of(info)
    with request.store.read() as db:
        fields = benchmark_view(db, request.urls)
        found = read_label(db, fields, shape_of(info), where["id"], labels.c.benchmark)
    return Cut(found)


def create_benchmark(_: object, info: Info, *, data: Mapping[str, str]) -> Cut:
    request = request_of(info)
    with request.store.write() as db:
        store.set_benchmark(db, request.store, data["labelId"], benchmark=True)
        fields = benchmark_view(db, request.urls)
        return Cut(read_label(db, fields, shape_of(info), data["labelId"]))


def delete_benchmark(
    _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, str]:
    request = request_of(info)
    with request.store.write() as db:
        store.set_benchmark(db, request.store, where["labelId"], benchmark=False)
    return {"id": where["labelId"]}


RESOLVERS: Final[Resolvers] = {
    ("Query", "label"): label,
    ("Query", "benchmark"): benchmark,
    ("Mutation", "deleteLabels"): delete_labels,
    ("Mutation", "createBenchmark"): create_benchmark,
    ("Mutation", "deleteBenchmark"): delete_benchmark,
}
