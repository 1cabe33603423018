"""A document as plain data, with the place of every key and value in its text."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias, overload

from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows.places import excerpt

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
Path: TypeAlias = Sequence[str | int]


@dataclass(frozen=True)
class Source:
    """The text of a file, and what to call the file.

    Attributes:
        file: Path relative to the workspace, with `/`.
        text: All of it.
    """

    file: str
    text: str

    @cached_property
    def _lines(self) -> "array[int]":
        """Where each line begins."""
        breaks = re.finditer(r"\r\n|\n|\r", self.text)
        return array("Q", [0, *(found.end() for found in breaks)])

    def span(self, start: int, end: int) -> Span:
        """Turn offsets into a place.

        What goes on over several lines is cut at the end of the first, and
        what is empty is made one column wide, so that a caret fits under it.
        """
        line = bisect_right(self._lines, start)
        begin = self._lines[line - 1]
        end = max(min(end, self._line_end(line)), start + 1)
        return Span(self.file, line, start - begin + 1, line, end - begin + 1)

    def line(self, number: int) -> str:
        """Quote a line, counted from 1, without what ends it."""
        return self.text[self._lines[number - 1] : self._line_end(number)]

    def _line_end(self, number: int) -> int:
        # Nothing is copied: one line may hold a million places.
        if number == len(self._lines):
            return len(self.text)
        after = self._lines[number]
        return after - (2 if self.text.endswith("\r\n", 0, after) else 1)


class Places:
    """Where the items of one list or mapping stand, as offsets.

    Kept in arrays because a list may hold a million items.
    """

    __slots__ = ("index", "inner", "keys", "values")

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.keys = array("Q")
        self.values = array("Q")
        self.inner: dict[int, Places] = {}

    def position(self, part: str | int) -> int | None:
        """Find an item; None when there is no such key or position."""
        if isinstance(part, str):
            return self.index.get(part)
        if not self.index and 0 <= part < len(self.values) // 2:
            return part
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One YAML document: its data, and the place of every path in it.

    Attributes:
        data: Mappings, lists, strings, numbers, booleans and nulls.
        source: The text that it stands in.
    """

    data: Plain
    source: Source
    start: int
    end: int
    places: Places | None

    def span(self, path: Path = ()) -> Span:
        """Find the value at *path*, or the nearest value around it."""
        start, end, places = self.start, self.end, self.places
        for part in path:
            position = places.position(part) if places else None
            if places is None or position is None:
                break
            start, end = places.values[2 * position : 2 * position + 2]
            places = places.inner.get(position)
        return self.source.span(start, end)

    def key_span(self, path: Path) -> Span:
        """Find the key at the end of *path*, or else the value around it."""
        *parents, key = path
        places = self._inside(parents)
        position = places.position(key) if places else None
        if places is None or position is None or not places.keys:
            return self.span(path)
        return self.source.span(*places.keys[2 * position : 2 * position + 2])

    def spans(self, path: Path, positions: range) -> Sequence[Span]:
        """Find the items of the list at *path*, each only when it is asked for."""
        places = self._inside(path)
        assert places is not None
        return ItemSpans(self.source, places.values, positions)

    def written(self, path: Path) -> str:
        """Quote the value at *path* as it is written, up to its first line end."""
        span = self.span(path)
        line = self.source.line(span.line)
        return line[span.column - 1 : span.end_column - 1]

    def _inside(self, path: Path) -> Places | None:
        places = self.places
        for part in path:
            position = places.position(part) if places else None
            if places is None or position is None:
                return None
            places = places.inner.get(position)
        return places


@dataclass(frozen=True, slots=True)
class ItemSpans(Sequence[Span]):
    """The places of the items of a list, made on demand."""

    source: Source
    offsets: "array[int]"
    positions: range

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, index: int) -> Span: ...
    @overload
    def __getitem__(self, index: slice) -> "ItemSpans": ...
    def __getitem__(self, index: int | slice) -> "Span | ItemSpans":
        if isinstance(index, slice):
            return replace(self, positions=self.positions[index])
        position = self.positions[index]
        return self.source.span(*self.offsets[2 * position : 2 * position + 2])


def with_excerpts(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source]
) -> Iterator[Diagnostic]:
    """Give every problem its line of the text, for the caret under it."""
    for problem in diagnostics:
        source = sources.get(problem.span.file) if problem.span else None
        if problem.span and source and problem.excerpt is None:
            line = source.line(problem.span.line)
            yield replace(problem, excerpt=excerpt(line, problem.span.column))
        else:
            yield problem
