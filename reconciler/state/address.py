"""The names by which everything outside `remote` speaks of objects."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Self
from urllib.parse import unquote

RemoteId = NewType("RemoteId", str)
"""An object's id on the remote; opaque, and never shown as a name."""


class Kind(StrEnum):
    """What an address names. Configs and rows exist in manifests only."""

    ONTOLOGY = "ontology"
    DATASET = "dataset"
    PROJECT = "project"
    MODEL = "model"
    RUN = "run"
    CONFIG = "config"
    ROWS = "rows"


_SEGMENTS = {Kind.RUN: 2}
_SYNTAX = frozenset("/%* ")


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """An object's kind and name, printed as `model/digits` or `run/digits/svm`.

    Attributes:
        kind: What is named.
        path: The name; for runs the model's name before the run's own.
    """

    kind: Kind
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """The object's own name, the last part of the path."""
        return self.path[-1]

    def __str__(self) -> str:
        return "/".join([self.kind.value, *map(_encode, self.path)])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address as it is printed.

        Raises:
            ValueError: With what is wrong, when it isn't one.
        """
        kind_text, *segments = text.split("/")
        try:
            kind = Kind(kind_text)
        except ValueError:
            known = ", ".join(Kind)
            raise ValueError(
                f"{text!r} is no address: the kind is one of {known}"
            ) from None
        expected = _SEGMENTS.get(kind, 1)
        if len(segments) != expected or not all(segments):
            form = "run/MODEL/NAME" if kind is Kind.RUN else f"{kind}/NAME"
            raise ValueError(f"{text!r} is no address: write it as {form}")
        return cls(kind, tuple(map(unquote, segments)))


def model_address(name: str) -> Address:
    """Name a model."""
    return Address(Kind.MODEL, (name,))


def project_address(name: str) -> Address:
    """Name a labelling project."""
    return Address(Kind.PROJECT, (name,))


def run_address(model: str, name: str) -> Address:
    """Name a run of a model."""
    return Address(Kind.RUN, (model, name))


def _encode(segment: str) -> str:
    if segment.isascii() and segment.isprintable() and _SYNTAX.isdisjoint(segment):
        return segment
    # Controls and spaces, and what reorders or hides text, is not printable: an
    # address is shown to people who agree to it.
    return "".join(
        "".join(f"%{byte:02X}" for byte in character.encode())
        if character in _SYNTAX or not character.isprintable()
        else character
        for character in segment
    )
