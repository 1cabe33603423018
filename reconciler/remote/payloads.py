"""Answers of the API as typed structures, and those as values of ours.

Only what is selected stands here. An answer of another shape never becomes a
value: decoding it fails, and that is told as `Malformed`.
"""

from collections.abc import Mapping

import msgspec

from reconciler.ports import Malformed
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import (
    JsonObject,
    NotCanonicalError,
    canonical_object,
)
from reconciler.state.ontology import NotAnOntologyError, normalise_ontology
from reconciler.state.snapshot import (
    CurrentDataset,
    CurrentModel,
    CurrentOntology,
    CurrentRun,
)


class Wire(msgspec.Struct, frozen=True, rename="camel"):
    """An object of an answer; its fields are spelled as the API spells them."""


class Identified(Wire, frozen=True):
    """An object of which only the id matters."""

    id: str


# Who we are


class OrganisationNode(Wire, frozen=True):
    """An organisation."""

    id: str
    name: str


class OrganisationData(Wire, frozen=True):
    """Answer to `ORGANIZATION`."""

    organization: OrganisationNode


class UserData(Wire, frozen=True):
    """Answer to `USER`."""

    user: Identified


# Objects


class OntologyNode(Wire, frozen=True):
    """An ontology."""

    id: str
    name: str
    media_type: str | None
    normalized: dict[str, object] | None

    def current(self) -> CurrentOntology:
        """Turn it into a value; its schema is in the normal form.

        Raises:
            Malformed: When its schema is no ontology.
        """
        try:
            schema = normalise_ontology(self.normalized or {})
        except NotAnOntologyError as error:
            raise Malformed(f"ontology {self.id}: {error}") from error
        return CurrentOntology(
            id=RemoteId(self.id),
            name=self.name,
            media_type=self.media_type,
            schema=schema,
        )


class OntologyData(Wire, frozen=True):
    """Answer to `ONTOLOGY`."""

    ontology: OntologyNode | None


class OntologyPage(Wire, frozen=True):
    """A page of ontologies."""

    nodes: list[OntologyNode]
    next_cursor: str | None


class OntologiesData(Wire, frozen=True):
    """Answer to `ONTOLOGIES`."""

    ontologies: OntologyPage


class DatasetNode(Wire, frozen=True):
    """A dataset."""

    id: str
    name: str
    description: str | None
    row_count: int | None

    def current(self) -> CurrentDataset:
        """Turn it into a value whose keys nobody has asked for."""
        return CurrentDataset(
            id=RemoteId(self.id),
            name=self.name,
            description=self.description,
            keys=None,
        )


class DatasetData(Wire, frozen=True):
    """Answer to `DATASET`."""

    dataset: DatasetNode | None


class DatasetsData(Wire, frozen=True):
    """Answer to `DATASETS`."""

    datasets: list[DatasetNode]


class ModelNode(Wire, frozen=True):
    """A model."""

    id: str
    name: str
    ontology_id: str | None

    def current(self) -> CurrentModel:
        """Turn it into a value."""
        ontology = None if self.ontology_id is None else RemoteId(self.ontology_id)
        return CurrentModel(id=RemoteId(self.id), name=self.name, ontology_id=ontology)


class ModelData(Wire, frozen=True):
    """Answer to `MODEL`."""

    model: ModelNode | None


class ModelsData(Wire, frozen=True):
    """Answer to `MODELS`."""

    models: list[ModelNode]


class RunNode(Wire, frozen=True):
    """A run in the list of its model.

    Its config stays text until it is asked for: most runs of a list are none of
    ours, and what others write there may be anything.
    """

    id: str
    name: str
    training_metadata: msgspec.Raw

    def current(self, address: Address, *, managed: bool) -> CurrentRun:
        """Turn it into a value.

        Args:
            address: The run's.
            managed: Whether its config is.

        Raises:
            Malformed: When a managed config can't be compared exactly.
        """
        return CurrentRun(
            id=RemoteId(self.id),
            model=address.path[0],
            name=self.name,
            config=self._config(address) if managed else {},
        )

    def _config(self, address: Address) -> JsonObject:
        try:
            config = msgspec.json.decode(
                self.training_metadata, type=dict[str, object] | None
            )
        except msgspec.MsgspecError as error:
            raise Malformed(f"the config of {address}: {error}") from error
        return canonical_config(config, address)


class RunList(Wire, frozen=True):
    """A page of the runs of a model."""

    model_runs: list[RunNode]


class RunsData(Wire, frozen=True):
    """Answer to `MODEL_RUNS`."""

    model: RunList | None


class NamedRunNode(Wire, frozen=True):
    """A run found by name."""

    id: str
    name: str


class NamedRunList(Wire, frozen=True):
    """The runs of a model that have a name."""

    model_runs: list[NamedRunNode]


class NamedRunsData(Wire, frozen=True):
    """Answer to `MODEL_RUNS_NAMED`."""

    model: NamedRunList | None


class ConfigNode(Wire, frozen=True):
    """The config of a run."""

    training_metadata: dict[str, object] | None


class ConfigData(Wire, frozen=True):
    """Answer to `RUN_CONFIG`."""

    model_run: ConfigNode | None


def canonical_config(
    config: Mapping[str, object] | None, address: Address
) -> JsonObject:
    """Bring a run's config into the form that equals compare as; null is empty.

    Raises:
        Malformed: When it holds what JSON can't carry exactly; says where.
    """
    try:
        return canonical_object(config or {})
    except NotCanonicalError as error:
        place = ".".join(map(str, error.path))
        raise Malformed(
            f"the config of {address} can't be compared: {place}: {error.why}",
            hint="change the value on the remote, or leave the config out of the "
            "manifest",
        ) from error


# What creating and changing answers


class UpsertOntologyData(Wire, frozen=True):
    """Answer to `CREATE_ONTOLOGY`."""

    upsert_ontology: Identified


class CreateDatasetData(Wire, frozen=True):
    """Answer to `CREATE_DATASET`."""

    create_dataset: Identified


class CreateModelData(Wire, frozen=True):
    """Answer to `CREATE_MODEL`."""

    create_model: Identified


class CreateProjectData(Wire, frozen=True):
    """Answer to `CREATE_PROJECT`."""

    create_project: Identified


class CreateRunData(Wire, frozen=True):
    """Answer to `CREATE_RUN`."""

    create_model_run: Identified


class AddRowsData(Wire, frozen=True):
    """Answer to `ADD_ROWS`."""

    task: str = msgspec.field(name="createMEAModelRunDataRowRegistrationTask")


class AddLabelsData(Wire, frozen=True):
    """Answer to `ADD_LABELS`."""

    task: str = msgspec.field(name="createMEAModelRunLabelRegistrationTask")


class AssignSplitsData(Wire, frozen=True):
    """Answer to `ASSIGN_SPLITS`."""

    task: str = msgspec.field(name="createAssignDataRowsToDataSplitTask")


class UpsertDataRowsData(Wire, frozen=True):
    """Answer to `UPSERT_DATA_ROWS`."""

    upsert_data_rows: Identified


class UploadedFile(Wire, frozen=True):
    """A file that the remote now holds."""

    url: str


class UploadData(Wire, frozen=True):
    """Answer to `UPLOAD_FILE`."""

    upload_file: UploadedFile


class Anything(msgspec.Struct, frozen=True):
    """An answer of which nothing matters but that it came."""
