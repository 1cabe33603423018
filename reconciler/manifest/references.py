"""Which document a name means, of all that a workspace has."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic, Span, counted
from reconciler.manifest.declared import ADDRESSED, Declared
from reconciler.manifest.document import Document
from reconciler.rows.problems import Advice
from reconciler.state.address import Address, Kind

Path: TypeAlias = tuple[str | int, ...]

_KIND_NAMES: Final = {kind: name for name, kind in ADDRESSED.items()}

_ADVICE: Final = {
    Kind.ONTOLOGY: "declare it; an Ontology without tools and classifications refers "
    "to one that exists",
    Kind.DATASET: "declare it; a Dataset without files refers to one that exists",
    Kind.PROJECT: "declare it; a Project without labels refers to one that exists",
    Kind.MODEL: "declare it, with the ontology that it has",
    Kind.CONFIG: "declare it, or write the config into the run",
    Kind.ROWS: "declare it, or write the membership into the run",
}

_RELATED: Final = 3
"""How many declarations of a name are shown with a reference to it."""


class References:
    """All documents by what they declare.

    Attributes:
        problems: What was found to be wrong with references so far.
    """

    def __init__(self, declared: Sequence[Declared], *, complete: bool) -> None:
        """Index documents.

        Args:
            declared: Every document, also those with problems, so that what
                refers to them isn't blamed.
            complete: Whether these are all documents there are; if not, nothing is
                said of names that no document has.
        """
        self.problems: list[Diagnostic] = []
        self._complete = complete and not any(each.may_be_anything for each in declared)
        self._advice = Advice()
        self._index: dict[Address, list[Declared]] = {}
        for each in declared:
            for address in each.addresses:
                self._index.setdefault(address, []).append(each)

    def repeated(self) -> Iterator[Diagnostic]:
        """Find addresses that several documents declare."""
        for address, (first, *others) in self._index.items():
            for other in others:
                yield Diagnostic(
                    code="repeated-name",
                    message=f"{address} is declared twice",
                    span=other.span(),
                    hint="give it another name, or delete one of the two",
                    related=((first.span(), "declared here first"),),
                )

    def refer(self, document: Document, path: Path, kind: Kind, name: str) -> Address:
        """Find what a name means, and check that exactly one document declares it.

        Args:
            document: The document that refers.
            path: Where it does.
            kind: What it refers to.
            name: The name that stands there.
        """
        address = Address(kind, (name,))
        found = self._index.get(address, [])
        what, span = _KIND_NAMES[kind], document.span(path)
        if len(found) > 1:
            problem = Diagnostic(
                code="ambiguous-reference",
                message=f"{len(found)} documents declare {what} {name!r}",
                span=span,
                related=tuple(_declared_here(found)),
            )
            self.problems.append(problem)
        elif not found and self._complete:
            known = (each.name for each in self._index if each.kind is kind)
            problem = Diagnostic(
                code="dangling-reference",
                message=f"no document declares {what} {name!r}",
                span=span,
                hint=self._advice.nearest(name, known) or _ADVICE[kind],
            )
            self.problems.append(problem)
        return address


def _declared_here(found: Sequence[Declared]) -> Iterator[tuple[Span, str]]:
    """Point to the first declarations: each of many references would list them."""
    more = len(found) - _RELATED
    for number, each in enumerate(found[:_RELATED], 1):
        word = "declared here"
        if number == _RELATED and more > 0:
            word += f", and in {counted(more, 'more place')}"
        yield each.span(), word
