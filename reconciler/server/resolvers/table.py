"""Which function answers which field."""

from typing import Final

from reconciler.server.execution import Resolvers
from reconciler.server.resolvers import (
    annotate,
    annotation_imports,
    batches,
    datasets,
    experiments,
    exports,
    global_keys,
    identity,
    labels,
    membership,
    metadata,
    ontologies,
    projects,
    run_labels,
    slices,
    tasks,
)

RESOLVERS: Final[Resolvers] = {
    **annotation_imports.RESOLVERS,
    **identity.RESOLVERS,
    **datasets.RESOLVERS,
    **global_keys.RESOLVERS,
    **metadata.RESOLVERS,
    **ontologies.RESOLVERS,
    **tasks.RESOLVERS,
    **experiments.RESOLVERS,
    **exports.RESOLVERS,
    **slices.RESOLVERS,
    **run_labels.RESOLVERS,
    **projects.RESOLVERS,
    **membership.RESOLVERS,
    **labels.RESOLVERS,
    **batches.RESOLVERS,
    **annotate.RESOLVERS,
}
