"""Documents that refer to each other by name, to what they mean together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TypeAlias

from reconciler.diagnostics import Diagnostic, Span, counted, in_order
from reconciler.manifest.dataset import read_dataset
from reconciler.manifest.declared import Declared
from reconciler.manifest.document import Document
from reconciler.manifest.honesty import DeclaredRows, DeclaredRun, check_honesty
from reconciler.manifest.labels import NO_LABELS, read_ids
from reconciler.manifest.locks import Locks, read_label_lock
from reconciler.manifest.memberships import Members, read_members
from reconciler.manifest.ontology import check_ontology, read_ontology
from reconciler.manifest.projects import read_project
from reconciler.manifest.references import References
from reconciler.manifest.runs import Shared, merge, read_runs
from reconciler.manifest.schema import (
    AnyManifest,
    DataRowsManifest,
    DatasetManifest,
    LabelsShape,
    MembersShape,
    ModelManifest,
    ModelRunManifest,
    OntologyManifest,
    ProjectManifest,
    RunConfigManifest,
    WorkspaceManifest,
)
from reconciler.manifest.select import Files
from reconciler.manifest.variants import Variant
from reconciler.manifest.workspace import Checks
from reconciler.rows.membership import make_membership
from reconciler.state.address import Address, Kind, RemoteId
from reconciler.state.canonical import JsonObject, canonical_object
from reconciler.state.labels import LabelPins, Labels
from reconciler.state.resources import (
    GlobalKey,
    Membership,
    Model,
    Resource,
    RowIdentity,
    Run,
)
from reconciler.state.snapshot import Desired

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What documents mean together, as far as nothing is wrong.

    Attributes:
        desired: Resources of the documents that nothing is wrong with.
        problems: What is wrong with documents and with files that they name.
        findings: What is wrong with data, as `manifest.honesty` sees it.
        locks: What must be locked, and what is wrong with locks.
    """

    desired: Desired
    problems: tuple[Diagnostic, ...]
    findings: tuple[Diagnostic, ...]
    locks: Locks


def resolve(
    declared: Sequence[Declared],
    files: Files,
    *,
    complete: bool,
    checks: Checks,
    today: date,
) -> Resolved:
    """Resolve all references, and read all files that are named.

    Args:
        declared: Every document of the workspace, also those with problems, so
            that what refers to them isn't blamed.
        files: The files of the workspace.
        complete: Whether these are all documents there are; if not, nothing is
            said of names that no document has.
        checks: How strictly data is looked at.
        today: The day of UTC that waivers are compared with.
    """
    resolver = _Resolver(declared, files, complete=complete)
    return resolver.resolve(checks=checks, today=today)


@dataclass(slots=True)
class _Parts:
    """What is resolved so far."""

    resources: dict[Address, Resource] = field(default_factory=dict)
    origins: dict[Address, Span] = field(default_factory=dict)
    pins: dict[Address, RemoteId] = field(default_factory=dict)
    bases: dict[Address, JsonObject] = field(default_factory=dict)
    configs: dict[str, JsonObject] = field(default_factory=dict)
    rows: dict[str, Members | None] = field(default_factory=dict)
    declared_rows: list[DeclaredRows] = field(default_factory=list)
    declared_runs: list[DeclaredRun] = field(default_factory=list)


class _Resolver:
    def __init__(
        self, declared: Sequence[Declared], files: Files, *, complete: bool
    ) -> None:
        self._declared = declared
        self._files = files
        self._problems: list[Diagnostic] = []
        self._locks = Locks()
        self._parts = _Parts()
        self._references = References(declared, complete=complete)

    def resolve(self, *, checks: Checks, today: date) -> Resolved:
        for each in self._declared:
            match each.manifest:
                case RunConfigManifest() as manifest:
                    config = canonical_object(manifest.config)
                    self._parts.configs.setdefault(manifest.name, config)
                case DataRowsManifest() as manifest:
                    self._add_rows(each.document, manifest)
                case _:
                    pass
        for each in self._declared:
            if each.manifest:
                self._add(each, each.manifest)
        desired = Desired(
            resources=self._parts.resources,
            origins=self._parts.origins,
            pins=self._parts.pins,
            bases=self._parts.bases,
        )
        verdict = check_honesty(
            rows=self._parts.declared_rows,
            runs=self._parts.declared_runs,
            datasets=desired.datasets(),
            checks=checks,
            today=today,
        )
        problems = (
            *self._references.repeated(),
            *self._references.problems,
            *self._problems,
            *_shared_keys(desired),
        )
        warned = replace(desired, warnings=in_order(verdict.warnings))
        return Resolved(warned, problems, verdict.problems, self._locks)

    def _add_rows(self, document: Document, manifest: DataRowsManifest) -> None:
        if manifest.select is not None:
            for name, kind in (("dataset", Kind.DATASET), ("project", Kind.PROJECT)):
                source = getattr(manifest.select, name)
                if source is not None:
                    self._references.refer(document, ("select", name), kind, source)
        members = self._members(document, manifest, ())
        self._parts.rows.setdefault(manifest.name, members)
        self._parts.declared_rows.append(DeclaredRows(document, manifest, members))

    def _add(self, declared: Declared, manifest: AnyManifest) -> None:
        match manifest:
            case OntologyManifest():
                self._problems.extend(check_ontology(declared.document, manifest))
                self._keep(declared, read_ontology(manifest), manifest.id)
            case DatasetManifest():
                dataset, problems = read_dataset(
                    self._files, declared.document, manifest
                )
                self._problems.extend(problems)
                self._keep(declared, dataset, manifest.id)
            case ProjectManifest():
                project, wrong = read_project(
                    self._files, declared.document, manifest, self._references
                )
                self._problems.extend(wrong)
                self._keep(declared, project, manifest.id)
            case ModelManifest():
                ontology = self._references.refer(
                    declared.document, ("ontology",), Kind.ONTOLOGY, manifest.ontology
                )
                self._keep(declared, Model(manifest.name, ontology), manifest.id)
            case ModelRunManifest():
                self._add_runs(declared, manifest)
            case RunConfigManifest() | DataRowsManifest() | WorkspaceManifest():
                pass

    def _keep(self, declared: Declared, resource: Resource, pin: str | None) -> None:
        self._parts.resources.setdefault(resource.address, resource)
        self._parts.origins.setdefault(resource.address, declared.span())
        if pin is not None:
            self._parts.pins.setdefault(resource.address, RemoteId(pin))

    # --- Runs

    def _add_runs(self, declared: Declared, manifest: ModelRunManifest) -> None:
        document = declared.document
        self._references.refer(document, ("model",), Kind.MODEL, manifest.model)
        base, config = self._config(document, manifest)
        runs, problems = read_runs(
            self._files,
            document,
            manifest,
            declared.variants,
            shared=Shared(config=config, rows=self._rows(document, manifest)),
            labels=self._labels(document, manifest),
        )
        self._problems.extend(problems)
        if any(map(_pins_by_other_names, runs)):
            self._problems.append(
                Diagnostic(
                    code="wrong-row-name",
                    message="a lock names rows by global key, and `rows` by data row id",
                    span=document.span(("labels",)),
                    hint="name the rows by `globalKeys`, or the labels by `labelIds`",
                )
            )
        for run in runs:
            self._keep(declared, run, manifest.id)
            if base is not None:
                self._parts.bases.setdefault(run.address, base)

    def _config(
        self, document: Document, manifest: ModelRunManifest
    ) -> tuple[JsonObject | None, JsonObject | None]:
        """Find what a run's config builds on, and what it is but for a matrix."""
        if manifest.config_from is not None:
            name = manifest.config_from.name
            self._references.refer(document, ("configFrom", "name"), Kind.CONFIG, name)
            base = self._parts.configs.get(name, {})
            over = canonical_object(manifest.config_from.set)
            return base, canonical_object(merge(base, over))
        config = None if manifest.config is None else canonical_object(manifest.config)
        return (config or {}) if manifest.matrix else None, config

    def _labels(
        self, document: Document, manifest: ModelRunManifest
    ) -> Callable[[Variant], Labels | None]:
        match manifest.labels:
            case None:
                return lambda _: None
            case str():
                return lambda _: NO_LABELS
            case LabelsShape(label_ids=None) as shape:
                if shape.project is not None:
                    self._references.refer(
                        document, ("labels", "project"), Kind.PROJECT, shape.project
                    )
                return partial(self._pins, document, shape)
            case LabelsShape(label_ids=names):
                assert names is not None
                ids, problems = read_ids(
                    self._files, document, names, ("labels", "labelIds")
                )
                self._problems.extend(problems)
                return lambda _: ids

    def _rows(
        self, document: Document, manifest: ModelRunManifest
    ) -> Membership | None:
        written = None
        match manifest.rows:
            case None:
                rows = None
            case str() as name:
                self._references.refer(document, ("rows",), Kind.ROWS, name)
                named = self._parts.rows.get(name)
                rows = named.rows if named else None
            case list():
                rows = make_membership(
                    {}, by=RowIdentity.GLOBAL_KEY, assigns_splits=False
                )
            case shape:
                written = self._members(document, shape, ("rows",))
                rows = written.rows if written else None
        self._parts.declared_runs.append(DeclaredRun(document, manifest, written))
        return rows

    def _members(
        self, document: Document, shape: DataRowsManifest | MembersShape, path: Path
    ) -> Members | None:
        members, problems = read_members(
            self._files, document, shape, path, self._locks
        )
        self._problems.extend(problems)
        return members

    def _pins(
        self, document: Document, shape: LabelsShape, variant: Variant
    ) -> LabelPins | None:
        pins, problems = read_label_lock(
            self._files,
            document,
            ("labels",),
            shape,
            run=variant.address,
            locks=self._locks,
        )
        self._problems.extend(problems)
        return pins


def _pins_by_other_names(run: Run) -> bool:
    return (
        isinstance(run.labels, LabelPins)
        and run.rows is not None
        and run.rows.by is RowIdentity.DATA_ROW_ID
    )


def _shared_keys(desired: Desired) -> Iterator[Diagnostic]:
    """Find global keys of several datasets: they are unique in an organisation."""
    owners: dict[GlobalKey, Address] = {}
    for dataset in desired.datasets():
        shared: dict[Address, list[str]] = {}
        for key in dataset.data_rows or ():
            owner = owners.setdefault(key, dataset.address)
            if owner != dataset.address:
                shared.setdefault(owner, []).append(key)
        for owner, keys in shared.items():
            yield Diagnostic(
                code="row-twice",
                message=f"{counted(len(keys), 'global key')} of this Dataset declared "
                f"by Dataset {owner.name!r} too",
                span=desired.origins[dataset.address],
                hint="a global key is unique in an organisation: declare each "
                "data row in one dataset",
                related=((desired.origins[owner], "the other one"),),
                details=tuple(sorted(keys)),
            )
