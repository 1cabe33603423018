"""Documents that refer to each other by name, to what they mean together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic, InputError, Span, counted
from reconciler.manifest.dataset import read_dataset
from reconciler.manifest.document import Document
from reconciler.manifest.ontology import check_ontology, read_ontology
from reconciler.manifest.schema import (
    KINDS,
    AnyManifest,
    DataRowsManifest,
    DatasetManifest,
    MembersShape,
    ModelManifest,
    ModelRunManifest,
    OntologyManifest,
    RunConfigManifest,
    WorkspaceManifest,
)
from reconciler.manifest.select import Files, SpecBuilder
from reconciler.rows.membership import load_membership
from reconciler.rows.problems import Advice
from reconciler.rows.spec import MembershipSpec
from reconciler.state.address import Address, Kind, RemoteId, run_address
from reconciler.state.canonical import JsonObject, JsonValue, canonical_object
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

_ADDRESSED: Final = {
    "Ontology": Kind.ONTOLOGY,
    "Dataset": Kind.DATASET,
    "Model": Kind.MODEL,
    "RunConfig": Kind.CONFIG,
    "DataRows": Kind.ROWS,
}
_KIND_NAMES: Final = {kind: name for name, kind in _ADDRESSED.items()}

_ADVICE: Final = {
    Kind.ONTOLOGY: "declare it; an Ontology without tools and classifications refers "
    "to one that exists",
    Kind.MODEL: "declare it, with the ontology that it has",
    Kind.CONFIG: "declare it, or write the config into the run",
    Kind.ROWS: "declare it, or write the membership into the run",
}


_RELATED: Final = 3
"""How many declarations of a name are shown with a reference to it."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A document, and what it was found to be.

    Attributes:
        document: The document.
        manifest: Its content; None when its shape is wrong.
    """

    document: Document
    manifest: AnyManifest | None

    @property
    def kind(self) -> str:
        """The kind as it is written; empty when there is none."""
        return _string(self.document.data, "kind")

    @property
    def address(self) -> Address | None:
        """What the document declares, as far as its kind and name can be told."""
        data = self.document.data
        kind, name = self.kind, _string(data, "name")
        if kind not in KINDS or not name:
            return None
        if kind == "ModelRun":
            model = _string(data, "model")
            return run_address(model, name) if model else None
        return Address(_ADDRESSED[kind], (name,)) if kind in _ADDRESSED else None

    def span(self) -> Span:
        """Where it is declared: at its name."""
        return self.document.span(("name",))


def _string(data: object, field_: str) -> str:
    value = data.get(field_) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What documents mean together, as far as nothing is wrong.

    Attributes:
        desired: Resources of the documents that nothing is wrong with.
        problems: What is wrong.
    """

    desired: Desired
    problems: tuple[Diagnostic, ...]


def resolve(declared: Sequence[Declared], files: Files, *, complete: bool) -> Resolved:
    """Resolve all references, and read all files that are named.

    Args:
        declared: Every document of the workspace, also those with problems, so
            that what refers to them isn't blamed.
        files: The files of the workspace.
        complete: Whether these are all documents there are; if not, nothing is
            said of names that no document has.
    """
    return _Resolver(declared, files, complete=complete).resolve()


@dataclass(slots=True)
class _Parts:
    """What is resolved so far."""

    resources: dict[Address, Resource] = field(default_factory=dict)
    origins: dict[Address, Span] = field(default_factory=dict)
    pins: dict[Address, RemoteId] = field(default_factory=dict)
    configs: dict[str, JsonObject] = field(default_factory=dict)
    rows: dict[str, Membership] = field(default_factory=dict)


class _Resolver:
    def __init__(
        self, declared: Sequence[Declared], files: Files, *, complete: bool
    ) -> None:
        self._declared = declared
        self._files = files
        self._complete = complete and all(
            each.address or each.kind == "Workspace" for each in declared
        )
        self._problems: list[Diagnostic] = []
        self._advice = Advice()
        self._parts = _Parts()
        self._index: dict[Address, list[Declared]] = {}
        for each in declared:
            if each.address:
                self._index.setdefault(each.address, []).append(each)

    def resolve(self) -> Resolved:
        self._problems.extend(_repeated(self._index))
        for each in self._declared:
            match each.manifest:
                case RunConfigManifest() as manifest:
                    config = canonical_object(manifest.config)
                    self._parts.configs.setdefault(manifest.name, config)
                case DataRowsManifest() as manifest:
                    rows = self._load(each.document, manifest, ())
                    if rows is not None:
                        self._parts.rows.setdefault(manifest.name, rows)
                case _:
                    pass
        for each in self._declared:
            if each.manifest:
                self._add(each, each.manifest)
        desired = Desired(
            resources=self._parts.resources,
            origins=self._parts.origins,
            pins=self._parts.pins,
        )
        self._problems.extend(_shared_keys(desired))
        return Resolved(desired, tuple(self._problems))

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
            case ModelManifest():
                ontology = Address(Kind.ONTOLOGY, (manifest.ontology,))
                self._refer(declared.document, ("ontology",), ontology)
                self._keep(declared, Model(manifest.name, ontology), manifest.id)
            case ModelRunManifest():
                self._keep(declared, self._run(declared, manifest), manifest.id)
            case RunConfigManifest() | DataRowsManifest() | WorkspaceManifest():
                pass

    def _keep(self, declared: Declared, resource: Resource, pin: str | None) -> None:
        self._parts.resources.setdefault(resource.address, resource)
        self._parts.origins.setdefault(resource.address, declared.span())
        if pin is not None:
            self._parts.pins.setdefault(resource.address, RemoteId(pin))

    # --- Runs

    def _run(self, declared: Declared, manifest: ModelRunManifest) -> Run:
        document = declared.document
        self._refer(document, ("model",), Address(Kind.MODEL, (manifest.model,)))
        return Run(
            model=manifest.model,
            name=manifest.name,
            config=self._config(document, manifest),
            rows=self._rows(document, manifest),
        )

    def _config(
        self, document: Document, manifest: ModelRunManifest
    ) -> JsonObject | None:
        if manifest.config is not None:
            return canonical_object(manifest.config)
        if manifest.config_from is None:
            return None
        name = manifest.config_from.name
        self._refer(document, ("configFrom", "name"), Address(Kind.CONFIG, (name,)))
        base = self._parts.configs.get(name, {})
        return canonical_object(merge(base, canonical_object(manifest.config_from.set)))

    def _rows(
        self, document: Document, manifest: ModelRunManifest
    ) -> Membership | None:
        match manifest.rows:
            case None:
                return None
            case str() as name:
                self._refer(document, ("rows",), Address(Kind.ROWS, (name,)))
                return self._parts.rows.get(name)
            case list():
                nothing = MembershipSpec(
                    by=RowIdentity.GLOBAL_KEY,
                    sources=(),
                    splits=None,
                    span=document.span(("rows",)),
                )
                return load_membership(nothing)
            case shape:
                return self._load(document, shape, ("rows",))

    def _load(
        self, document: Document, shape: DataRowsManifest | MembersShape, path: Path
    ) -> Membership | None:
        builder = SpecBuilder(self._files, document)
        spec = builder.build(shape, path)
        if builder.problems:
            self._problems.extend(builder.problems)
            return None
        try:
            return load_membership(spec)
        except InputError as error:
            self._problems.extend(error.diagnostics)
            return None

    # --- References

    def _refer(self, document: Document, path: Path, address: Address) -> None:
        """Check that exactly one document declares an address."""
        found = self._index.get(address, [])
        kind, span = _KIND_NAMES[address.kind], document.span(path)
        if len(found) > 1:
            problem = Diagnostic(
                code="ambiguous-reference",
                message=f"{len(found)} documents declare {kind} {address.name!r}",
                span=span,
                related=tuple(_declared_here(found)),
            )
            self._problems.append(problem)
        elif not found and self._complete:
            known = (each.name for each in self._index if each.kind is address.kind)
            problem = Diagnostic(
                code="dangling-reference",
                message=f"no document declares {kind} {address.name!r}",
                span=span,
                hint=self._advice.nearest(address.name, known) or _ADVICE[address.kind],
            )
            self._problems.append(problem)


def _declared_here(found: Sequence[Declared]) -> Iterator[tuple[Span, str]]:
    """Point to the first declarations: each of many references would list them."""
    more = len(found) - _RELATED
    for number, each in enumerate(found[:_RELATED], 1):
        word = "declared here"
        if number == _RELATED and more > 0:
            word += f", and in {counted(more, 'more place')}"
        yield each.span(), word


def merge(base: JsonObject, over: Mapping[str, JsonValue]) -> JsonObject:
    """Lay a config over another: mappings merge at any depth, the rest is replaced."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


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


def _repeated(index: Mapping[Address, Sequence[Declared]]) -> Iterator[Diagnostic]:
    for address, (first, *others) in index.items():
        for other in others:
            yield Diagnostic(
                code="repeated-name",
                message=f"{address} is declared twice",
                span=other.span(),
                hint="give it another name, or delete one of the two",
                related=((first.span(), "declared here first"),),
            )
