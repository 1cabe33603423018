"""The two states a plan is made of.

Two types, so that swapping them is a type error, and because they carry
different things beside the resources: manifests know places and pins, the
remote knows ids.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.diagnostics import Diagnostic, Span
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Project,
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
        bases: The configs that the configs of runs build on: that of a RunConfig,
            or the one that a matrix sets values in; for showing what a run sets.
        warnings: What doesn't stop anything, but should be known.
    """

    resources: Mapping[Address, Resource]
    origins: Mapping[Address, Span] = field(default_factory=dict)
    pins: Mapping[Address, RemoteId] = field(default_factory=dict)
    bases: Mapping[Address, JsonObject] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()

    def ontologies(self) -> Iterator[Ontology]:
        """List the ontologies."""
        return (r for r in self.resources.values() if isinstance(r, Ontology))

    def datasets(self) -> Iterator[Dataset]:
        """List the datasets."""
        return (r for r in self.resources.values() if isinstance(r, Dataset))

    def projects(self) -> Iterator[Project]:
        """List the projects."""
        return (r for r in self.resources.values() if isinstance(r, Project))

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
    """A model as the remote has it.

    Attributes:
        id: Its id.
        name: Its name.
        ontology_id: Id of its ontology.
        run_count: How many runs it has; None when nobody counted.
    """

    id: RemoteId
    name: str
    ontology_id: RemoteId | None
    run_count: int | None = None


class JobState(StrEnum):
    """How far an import has come."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentProject:
    """A labelling project as the remote has it.

    Attributes:
        id: Its id.
        name: Its name.
        media_type: As the API spells it.
        ontology_id: Id of its ontology; None when none is connected yet.
        imports: Imports of labels by name; empty when nobody asked for them.
    """

    id: RemoteId
    name: str
    media_type: str | None
    ontology_id: RemoteId | None
    imports: Mapping[str, JobState] = field(default_factory=dict)


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


CurrentResource = (
    CurrentOntology | CurrentDataset | CurrentProject | CurrentModel | CurrentRun
)


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
