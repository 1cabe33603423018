"""Labelbox, or whatever speaks its API, as what planning and apply need of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Self

from reconciler.api import documents
from reconciler.plan.changes import Notice
from reconciler.plan.steps import (
    AddLabelIds,
    AddLabels,
    AddRows,
    AssignSplits,
    BatchRows,
    CheckRun,
    ConnectOntology,
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateProject,
    CreateRun,
    DescribeDataset,
    RemoveRows,
    SendChunk,
    SetConfig,
    SetStatus,
    Step,
    UploadDataRows,
)
from reconciler.ports import Organisation
from reconciler.remote import (
    changing,
    contents,
    creating,
    imports,
    labels,
    projects,
    reading,
    rows,
    selecting,
    statuses,
    surveying,
    uploads,
)
from reconciler.remote.graphql import GraphQLClient
from reconciler.remote.keys import look_up
from reconciler.remote.payloads import OrganisationData
from reconciler.remote.session import Bounds, Learnt, Session
from reconciler.rows.current import CurrentRows
from reconciler.state.address import Address, RemoteId
from reconciler.state.contents import ExportParams, RunRow, Survey
from reconciler.state.labels import CurrentLabel
from reconciler.state.resources import GlobalKey, RunStatus
from reconciler.state.selection import SelectedRow, Selection
from reconciler.state.snapshot import Current, Desired


class Labelbox:
    """A `ports.Reader`, and a `ports.Writer` unless its client may only read.

    It may be used from several threads, and closes its client when it is left.

    Args:
        client: The connection.
        bounds: How much is asked for at a time.
    """

    def __init__(self, client: GraphQLClient, bounds: Bounds | None = None) -> None:
        self._session = Session(client, bounds or Bounds(), Learnt())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._session.client.close()

    def notices(self) -> tuple[Notice, ...]:
        """List what this remote turned out not to do, and what was done instead."""
        return tuple(self._session.learnt.notices)

    def organisation(self) -> Organisation:
        """Say whom the key belongs to; see `ports.Reader`."""
        found = self._session.client.execute(
            documents.ORGANIZATION, OrganisationData
        ).organization
        return Organisation(RemoteId(found.id), found.name)

    def read(self, desired: Desired) -> Current:
        """Find everything that the manifests name; see `ports.Reader`."""
        return reading.read(self._session, desired)

    def read_rows(self, run: RemoteId, *, expected: int) -> CurrentRows:
        """Read the rows of a run, whole; see `ports.Reader`."""
        return rows.read_rows(self._session, run, expected=expected)

    def read_labels(self, run: RemoteId) -> Sequence[CurrentLabel]:
        """Read the labels that the rows of a run have; see `ports.Reader`."""
        return labels.read_labels(self._session, run)

    def read_project_labels(self, project: RemoteId) -> Sequence[CurrentLabel]:
        """Read the labels of a project as they are now; see `ports.Reader`."""
        return labels.read_project_labels(self._session, project)

    def read_status(self, run: RemoteId) -> RunStatus | None:
        """Read how far a run's training has come; see `ports.Reader`."""
        return statuses.read_status(self._session, run)

    def select(
        self, selection: Selection, source: RemoteId
    ) -> Iterator[Sequence[SelectedRow]]:
        """Read the data rows that a live selection chooses from; see `ports.Reader`."""
        return selecting.select(self._session, selection, source)

    def run_contents(
        self, run: RemoteId, wanted: ExportParams
    ) -> Iterator[Sequence[RunRow]]:
        """Export a run with everything in it; see `ports.Reader`."""
        return contents.run_contents(self._session, run, wanted)

    def survey(self, address: Address) -> Survey:
        """Find a model or run that no manifest speaks of yet; see `ports.Reader`."""
        return surveying.survey(self._session, address)

    def download(self, url: str) -> bytes:
        """Fetch a file that an export names, without the key."""
        return self._session.client.download(url)

    def download_to(self, url: str, file: IO[bytes]) -> None:
        """Fetch a file of any size into an open one; see `ports.Reader`."""
        self._session.client.download_to(url, file)

    def unknown_keys(self, keys: Iterable[GlobalKey]) -> frozenset[GlobalKey]:
        """Find the keys that can't be used; see `ports.Reader`."""
        found = look_up(self._session, keys)
        return found.missing | found.denied

    def perform(
        self, step: Step, *, ids: Mapping[Address, RemoteId]
    ) -> RemoteId | None:
        """Carry out one step; see `ports.Writer`."""
        session = self._session
        match step:
            case CreateOntology():
                return creating.create_ontology(session, step)
            case CreateDataset():
                return creating.create_dataset(session, step)
            case CreateProject():
                return creating.create_project(session, step)
            case CreateModel():
                return creating.create_model(session, step, ids)
            case CreateRun():
                return creating.create_run(session, step, ids)
            case DescribeDataset():
                changing.describe_dataset(session, step, ids[step.address])
            case UploadDataRows():
                uploads.upload_data_rows(session, step, ids[step.address])
            case ConnectOntology():
                projects.connect_ontology(
                    session, step, ids[step.address], ids[step.ontology]
                )
            case BatchRows():
                projects.batch_rows(session, step, ids[step.address])
            case SendChunk():
                imports.send_chunk(session, step, ids[step.address])
            case AddLabels():
                project = None if step.project is None else ids[step.project]
                labels.add_labels(session, step, ids[step.address], project)
            case AddLabelIds():
                labels.add_label_ids(session, step, ids[step.address])
            case SetStatus():
                statuses.set_status(session, step, ids[step.address])
            case CheckRun():
                changing.check_run(session, step, ids[step.address])
            case SetConfig():
                changing.set_config(session, step, ids[step.address])
            case AddRows():
                changing.add_rows(session, step, ids[step.address])
            case AssignSplits():
                changing.assign_splits(session, step, ids[step.address])
            case RemoveRows():
                changing.remove_rows(session, step, ids[step.address])
        return None
