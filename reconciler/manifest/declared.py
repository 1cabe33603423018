"""A document, and what it was found to declare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.diagnostics import Diagnostic, Span
from reconciler.manifest.document import Document
from reconciler.manifest.matrix import expand
from reconciler.manifest.schema import AnyManifest, ModelRunManifest
from reconciler.manifest.validate import validate
from reconciler.manifest.variants import Variant
from reconciler.state.address import Address, Kind, run_address

ADDRESSED: Final = {
    "Ontology": Kind.ONTOLOGY,
    "Dataset": Kind.DATASET,
    "Project": Kind.PROJECT,
    "Model": Kind.MODEL,
    "RunConfig": Kind.CONFIG,
    "DataRows": Kind.ROWS,
}
"""What the kinds of documents declare that declare one thing, by its name."""

_ANONYMOUS: Final = frozenset({"Workspace", "ModelRun"})
"""Kinds that no document refers to."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A document, and what it was found to be.

    Attributes:
        document: The document.
        manifest: Its content; None when its shape is wrong.
        variants: The runs of a ModelRun; none where its matrix is wrong.
    """

    document: Document
    manifest: AnyManifest | None
    variants: tuple[Variant, ...] = ()

    @property
    def kind(self) -> str:
        """The kind as it is written; empty when there is none."""
        return _string(self.document.data, "kind")

    @property
    def addresses(self) -> Sequence[Address]:
        """What the document declares, as far as its kind and name can be told."""
        if self.variants:
            return [variant.address for variant in self.variants]
        data = self.document.data
        kind, name = self.kind, _string(data, "name")
        if kind == "ModelRun":
            model = _string(data, "model")
            is_one = isinstance(data, dict) and "matrix" not in data
            return [run_address(model, name)] if model and name and is_one else []
        return [Address(ADDRESSED[kind], (name,))] if kind in ADDRESSED and name else []

    @property
    def may_be_anything(self) -> bool:
        """Whether it may be what some other document refers to."""
        return not self.addresses and self.kind not in _ANONYMOUS

    def span(self) -> Span:
        """Where it is declared: at its name."""
        return self.document.span(("name",))


def declare(document: Document) -> tuple[Declared, tuple[Diagnostic, ...]]:
    """Find out what a document declares, and what is wrong with it by itself."""
    manifest, problems = validate(document)
    if not isinstance(manifest, ModelRunManifest):
        return Declared(document, manifest), problems
    expansion = expand(document, manifest)
    return Declared(document, manifest, expansion.variants), expansion.problems


def _string(data: object, field: str) -> str:
    value = data.get(field) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""
