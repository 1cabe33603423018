"""The two states a plan is made of.

Two types, so that swapping them is a type error, and because they carry
different things beside the resources: manifests know places and pins, the
remote knows ids.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.diagnostics import Span
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Resource,
    Run,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What the manifests of a workspace say, resolved.

    Attributes:
        resources: By address, in the order of the manifests.
        origins: Where each is declared.
        pins: Ids given with `id:`, for names that aren't unique.
    """

    resources: Mapping[Address, Resource]
    origins: Mapping[Address, Span] = field(default_factory=dict)
    pins: Mapping[Address, RemoteId] = field(default_factory=dict)

    def ontologies(self) -> Iterator[Ontology]:
        """List the ontologies."""
        return (r for r in self.resources.values() if isinstance(r, Ontology))

    def datasets(self) -> Iterator[Dataset]:
        """List the datasets."""
        return (r for r in self.resources.values() if isinstance(r, Dataset))

    def models(self) -> Iterator[Model]:
        """List the models."""
        return (r for r in self.resources.values() if isinstance(r, Model))

    def runs(self) -> Iterator[Run]:
        """List the runs."""
        return (r for r in self.resources.values() if isinstance(r, Run))


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentOntology:
    """An ontology as the remote has it; `schema` as in `Ontology`."""

    id: RemoteId
    name: str
    media_type: str | None
    schema: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentDataset:
    """A dataset as the remote has it.

    Attributes:
        id: Its id.
        name: Its name.
        description: Its description.
        keys: Global keys of its data rows; None when nobody asked for them.
    """

    id: RemoteId
    name: str
    description: str | None
    keys: frozenset[GlobalKey] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentModel:
    """A model as the remote has it."""

    id: RemoteId
    name: str
    ontology_id: RemoteId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentRun:
    """A run as the remote has it; its rows are read and compared apart.

    Attributes:
        id: Its id.
        model: Name of its model.
        name: Its name.
        config: Canonical, when the manifests manage it; a remote null is the
            empty config. Where they don't it is empty, whatever the remote
            has: nothing compares it, and it need not be fit for that.
    """

    id: RemoteId
    model: str
    name: str
    config: JsonObject


CurrentResource = CurrentOntology | CurrentDataset | CurrentModel | CurrentRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """What the remote has of what the manifests name.

    Attributes:
        resources: By address; what is absent does not exist.
        elsewhere: Global keys declared in a dataset that exist, but in another
            dataset, by the address of the dataset that declares them.
    """

    resources: Mapping[Address, CurrentResource]
    elsewhere: Mapping[Address, frozenset[GlobalKey]] = field(default_factory=dict)

    def id_of(self, address: Address) -> RemoteId | None:
        """Look up an object's id; None when it does not exist."""
        found = self.resources.get(address)
        return found.id if found else None
