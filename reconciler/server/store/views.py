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
    page = _objects(view, shape, columns)
    return columns, Project(page)


def _objects(
    view: View, shape: Shape, columns: list[ColumnElement[Any]]
) -> Callable[[Rows], list[dict[str, Any]]]:
    keys = [one.key for one in shape.fields]
    members = [_member(view, one, shape, columns) for one in shape.fields]

    def page(rows: Rows) -> list[dict[str, Any]]:
        if not members:
            return [{} for _ in rows]
        values = zip(*(member(rows) for member in members), strict=True)
        return [dict(zip(keys, each, strict=True)) for each in values]

    return page


def _member(
    view: View, one: Selected, shape: Shape, columns: list[ColumnElement[Any]]
) -> Callable[[Rows], Sequence[Any]]:
    if one.name == "__typename":
        return lambda rows: [shape.type_name] * len(rows)
    match view[one.name]:
        case Made(columns=needed, make=make, shaped=shaped):
            pick = _picker([_place(columns, column) for column in needed])
            return _made(make, one if shaped else None, pick)
        case Gathered(column=column, read=read):
            return _gathered(read, one, itemgetter(_place(columns, column)))
        case Mapping() as inner:
            assert one.shape is not None
            return _objects(inner, one.shape, columns)
        case column:
            value = itemgetter(_place(columns, column))
            return lambda rows: list(map(value, rows))


def _place(columns: list[ColumnElement[Any]], wanted: ColumnElement[Any]) -> int:
    # Once for all that need it: SQLite answers with no more than 2,000 columns.
    for place, column in enumerate(columns):
        if column is wanted:
            return place
    columns.append(wanted)
    return len(columns) - 1


def _picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    match places:
        case []:
            return lambda _: ()
        case [place]:
            return lambda row: (row[place],)
        case _:
            return itemgetter(*places)


def _made(
    make: Callable[..., Any],
    one: Selected | None,
    pick: Callable[[Sequence[Any]], tuple[Any, ...]],
) -> Callable[[Rows], list[Any]]:
    if one is not None:
        return lambda rows: [make(one, *pick(row)) for row in rows]
    return lambda rows: [make(*pick(row)) for row in rows]


def _gathered(
    read: Callable[[Selected, Sequence[Any]], Mapping[Any, Any]],
    one: Selected,
    value: Callable[[Sequence[Any]], Any],
) -> Callable[[Rows], list[Any]]:
    def members(rows: Rows) -> list[Any]:
        wanted = list(map(value, rows))
        found = read(one, list(dict.fromkeys(wanted))) if wanted else {}
        return [found[each] for each in wanted]

    return members
