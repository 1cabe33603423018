"""What a document is: its text, and what it means to send it twice."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

PAGE: Final = 100
"""How many items the lists that are paged by number hold on a page."""


class RequestClass(StrEnum):
    """What it means to send a request twice."""

    READ = "read"
    """Nothing changes."""

    IDEMPOTENT = "idempotent"
    """The second time changes nothing."""

    EXPORT_START = "export-start"
    """A job that only reads is started once more; a mutation by name only."""

    UPLOAD = "upload"
    """A file that nothing refers to is left behind."""

    CREATE = "create"
    """A second object of the same name appears: never sent twice in doubt."""


@dataclass(frozen=True, slots=True)
class Document:
    """One operation.

    Attributes:
        kind: `query` or `mutation`.
        name: What the operation calls itself.
        root: The field that it asks for; how errors speak of it.
        body: Variables and selection.
        request: What repeating it means.
        experimental: Whether it is sent to the path of what may still change.
    """

    kind: str
    name: str
    root: str
    body: str
    request: RequestClass
    experimental: bool = False

    @property
    def text(self) -> str:
        """The document as it is sent."""
        return f"{self.kind} {self.name}{self.body}"

    @property
    def changes(self) -> bool:
        """Whether the remote is another one after it."""
        return self.kind == "mutation" and self.request is not (
            RequestClass.EXPORT_START
        )


def page(document: Document, number: int) -> Document:
    """Ask for another page of a list that is paged by number, from 0."""
    return replace(
        document, body=document.body.replace("skip: 0", f"skip: {number * PAGE}")
    )


def query(name: str, root: str, body: str, *, experimental: bool = False) -> Document:
    return Document("query", name, root, body, RequestClass.READ, experimental)


def mutation(
    name: str,
    root: str,
    body: str,
    request: RequestClass,
    *,
    experimental: bool = False,
) -> Document:
    return Document("mutation", name, root, body, request, experimental)
