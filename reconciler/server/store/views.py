"""A shape becomes the columns it needs and a function from row to answer.

Only what is selected is read: a page that asks for ids and splits never
touches row data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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


@dataclass(frozen=True, slots=True)
class Gathered:
    """A field that is looked up for all rows of a page at once.

    Attributes:
        column: What its value is found by.
        read: Called with the `Selected` field and the column's values on the page;
            finds the field's value by each of them.
    """

    column: ColumnElement[Any]
    read: Callable[[Selected, Sequence[Any]], Mapping[Any, Any]]


View: TypeAlias = "Mapping[str, ColumnElement[Any] | Made | Gathered | View]"
"""How each field of a type is read."""

Rows: TypeAlias = Sequence[Sequence[Any]]

Columns: TypeAlias = Sequence[Sequence[Any]]
"""The same values the other way round: working on whole columns is quicker."""

Build: TypeAlias = Callable[[Columns, int], Sequence[Any]]
"""Makes a field of all rows, given the columns and how many rows there are."""


@dataclass(frozen=True, slots=True)
class Project:
    """Turns rows of the columns into answers.

    Attributes:
        page: Turns all rows of a page, which is quicker than one by one.
    """

    page: Callable[[Rows], list[dict[str, Any]]]

    def __call__(self, row: Sequence[Any]) -> dict[str, Any]:
        """Turn one row."""
        return self.page([row])[0]


def compile_view(
    view: View, shape: Shape
) -> tuple[Sequence[ColumnElement[Any]], Project]:
    """Find the columns to select, and how to turn rows of them into answers."""
    columns: list[ColumnElement[Any]] = []
    build = _objects(view, shape, columns)

    def page(rows: Rows) -> list[dict[str, Any]]:
        # Not by zip: it would make an iterator of every row.
        values = [list(map(itemgetter(place), rows)) for place in range(len(columns))]
        return build(values, len(rows))

    return columns, Project(page)


def _objects(
    view: View, shape: Shape, columns: list[ColumnElement[Any]]
) -> Callable[[Columns, int], list[dict[str, Any]]]:
    members = [(one.key, _member(view, one, shape, columns)) for one in shape.fields]

    def build(values: Columns, count: int) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = [{} for _ in range(count)]
        # Field by field: half the time of making one object after the other.
        for key, member in members:
            for one, value in zip(made, member(values, count), strict=True):
                one[key] = value
        return made

    return build


def _member(
    view: View, one: Selected, shape: Shape, columns: list[ColumnElement[Any]]
) -> Build:
    if one.name == "__typename":
        return lambda _, count: [shape.type_name] * count
    match view[one.name]:
        case Made(columns=needed, make=make, shaped=shaped):
            places = [_place(columns, column) for column in needed]
            return _made(partial(make, one) if shaped else make, places)
        case Gathered(column=column, read=read):
            return _gathered(partial(read, one), _place(columns, column))
        case Mapping() as inner:
            assert one.shape is not None
            return _objects(inner, one.shape, columns)
        case column:
            place = _place(columns, column)
            return lambda values, _: values[place]


def _place(columns: list[ColumnElement[Any]], wanted: ColumnElement[Any]) -> int:
    # Once for all that need it: SQLite answers with no more than 2,000 columns.
    for place, column in enumerate(columns):
        if column is wanted:
            return place
    columns.append(wanted)
    return len(columns) - 1


def _made(make: Callable[..., Any], places: Sequence[int]) -> Build:
    if not places:
        return lambda _, count: [make() for _ in range(count)]
    return lambda values, _: list(map(make, *(values[place] for place in places)))


def _gathered(read: Callable[[Sequence[Any]], Mapping[Any, Any]], place: int) -> Build:
    def build(values: Columns, _: int) -> list[Any]:
        wanted = values[place]
        found = read(list(dict.fromkeys(wanted))) if wanted else {}
        return [found[each] for each in wanted]

    return build
