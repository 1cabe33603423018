"""A shape becomes the columns it needs and a function from row to answer.

Only what is selected is read: a page that asks for ids and splits never
touches row data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement

from reconciler.server.shapes import Selected, Shape


@dataclass(frozen=True, slots=True)
class Made:
    """A field that is made of several columns, or of none.

    Attributes:
        columns: What it is made of.
        make: Called with the columns' values; preceded by the `Selected` field
            where `shaped`, for fields that have a shape of their own.
        shaped: Whether `make` wants to know what is selected.
    """

    columns: tuple[ColumnElement[Any], ...]
    make: Callable[..., Any]
    shaped: bool = False


View: TypeAlias = "Mapping[str, ColumnElement[Any] | Made | View]"
"""How each field of a type is read."""

Project: TypeAlias = Callable[[Sequence[Any]], dict[str, Any]]


def compile_view(
    view: View, shape: Shape
) -> tuple[Sequence[ColumnElement[Any]], Project]:
    """Find the columns to select, and how to turn a row of them into an answer."""
    columns: list[ColumnElement[Any]] = []
    project = _object(view, shape, columns)
    return columns, project


def _object(view: View, shape: Shape, columns: list[ColumnElement[Any]]) -> Project:
    members = [(one.key, _member(view, one, shape, columns)) for one in shape.fields]

    def project(row: Sequence[Any]) -> dict[str, Any]:
        return {key: member(row) for key, member in members}

    return project


def _member(
    view: View, one: Selected, shape: Shape, columns: list[ColumnElement[Any]]
) -> Callable[[Sequence[Any]], Any]:
    if one.name == "__typename":
        return lambda _: shape.type_name
    match view[one.name]:
        case Made(columns=needed, make=make, shaped=shaped):
            start = len(columns)
            columns.extend(needed)
            return _made(make, one if shaped else None, start, len(columns))
        case Mapping() as inner:
            assert one.shape is not None
            return _object(inner, one.shape, columns)
        case column:
            columns.append(column)
            return itemgetter(len(columns) - 1)


def _made(
    make: Callable[..., Any], one: Selected | None, start: int, stop: int
) -> Callable[[Sequence[Any]], Any]:
    if one is not None:
        return lambda row: make(one, *row[start:stop])
    if stop - start == 1:
        return lambda row: make(row[start])
    return lambda row: make(*row[start:stop])
