"""Which function answers which field."""

from typing import Final

from reconciler.server.execution import Resolvers
from reconciler.server.resolvers import (
    datasets,
    experiments,
    exports,
    identity,
    ontologies,
)

RESOLVERS: Final[Resolvers] = {
    **identity.RESOLVERS,
    **datasets.RESOLVERS,
    **ontologies.RESOLVERS,
    **experiments.RESOLVERS,
    **exports.RESOLVERS,
}
