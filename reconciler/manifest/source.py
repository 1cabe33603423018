"""YAML text to documents.

The only module that imports yaml. Values are built straight from the events of
libyaml's parser: nothing is constructed by tag, scalars follow the core schema
of YAML 1.2 (`1e-4` is a number, `no` a text, `012` twelve), and what YAML would
let pass in silence, such as a repeated key, is a diagnostic.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import yaml

from reconciler.diagnostics import Diagnostic, Span
from reconciler.manifest.document import Document, Places, Plain, Source
from reconciler.manifest.scalars import NumberError, read_plain

MAX_DEPTH: Final = 64
"""How deep mappings and lists may be nested; configs are the deepest we know."""

MAX_ALIASED: Final = 10_000
"""How many values the aliases of one document may stand for, altogether."""

# Refused by YAML, or (the last three) taken by libyaml for line breaks that no
# editor or review shows as such.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\x85\u2028\u2029]"
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text holds.

    Attributes:
        documents: Those that could be read, in order.
        diagnostics: What is wrong with the text.
        complete: Whether no document was lost to an error.
    """

    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]
    complete: bool


def decode(file: str, content: bytes) -> Source | Diagnostic:
    """Read bytes as UTF-8, with or without a byte order mark."""
    try:
        return Source(file, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        begin = before.rfind(b"\n") + 1
        column = len(before[begin:].decode("utf-8", "replace")) + 1
        return Diagnostic(
            code="not-utf8",
            message="the file is not UTF-8 text",
            span=Span(file, line, column, line, column + 1),
            hint="save it as UTF-8",
        )


def parse(source: Source) -> Parsed:
    """Read all documents of a text.

    Problems don't end the reading as long as libyaml can go on: a number or an
    alias that was refused is null, a tag is left out, of repeated keys the first
    is kept.
    """
    if found := _UNPRINTABLE.search(source.text):
        shown = f"U+{ord(found[0]):04X}"
        problem = Diagnostic(
            code="yaml-syntax",
            message=f"the character {shown} can't stand in YAML as it is",
            span=source.span(found.start(), found.end()),
            hint="take it out, or write it as an escape in double quotes",
        )
        return Parsed((), (problem,), complete=False)
    builder = _Builder(source)
    # Of the loader only libyaml's parser is used: nothing is ever constructed.
    parser = yaml.CSafeLoader(source.text)
    try:
        while (event := parser.get_event()) is not None:
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        builder.report(_syntax(source, error))
        builder.complete = False
    except _TooDeepError:
        builder.complete = False
    finally:
        parser.dispose()
    if builder.complete and not builder.documents:
        nothing = Diagnostic(
            code="empty-file",
            message="the file holds no document",
            span=source.span(0, 1),
            hint="delete it, or begin with `apiVersion: reconciler/v1`",
        )
        builder.report(nothing)
    return Parsed(
        tuple(builder.documents), tuple(builder.diagnostics), builder.complete
    )


# --- The builder


class _Value(NamedTuple):
    """A value that has been read, or stands behind an anchor.

    `size` counts what it stands for, `height` how deep it is nested.
    """

    data: Plain
    start: int
    end: int
    places: Places | None = None
    size: int = 1
    height: int = 0
    plain: str | None = None


_REFUSED: Final = _Value(None, 0, 0)


class _TooDeepError(Exception):
    """The text is nested too deep to go on."""


class _Open:
    """A list or mapping of which the end has not been read yet."""

    __slots__ = ("anchor", "data", "height", "key", "places", "size", "start")

    def __init__(self, event: yaml.CollectionStartEvent) -> None:
        self.data: list[Plain] | dict[str, Plain] = (
            {} if isinstance(event, yaml.MappingStartEvent) else []
        )
        self.start, _ = _offsets(event)
        self.anchor: str | None = event.anchor
        self.places = Places()
        self.key: _Value | None = None
        self.size = 1
        self.height = 1


class _Builder:
    """Turns events into documents, without recursion."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.documents: list[Document] = []
        self.diagnostics: list[Diagnostic] = []
        self.complete = True
        self._open: list[_Open] = []
        self._anchors: dict[str, _Value] = {}
        self._aliased = 0

    def report(self, problem: Diagnostic) -> None:
        self.diagnostics.append(problem)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._put(self._scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._put(self._finish(event))
        elif isinstance(event, yaml.AliasEvent):
            self._put(self._alias(event))
        elif isinstance(event, yaml.DocumentStartEvent):
            self._anchors = {}
            self._aliased = 0

    def _scalar(self, event: yaml.ScalarEvent) -> _Value:
        text: str = event.value
        start, end = _offsets(event)
        if event.tag is not None:
            self._refuse_tag(event.tag, start, end)
            value = _Value(text, start, end)
        elif event.style:
            value = _Value(text, start, end)
        else:
            try:
                data = read_plain(text)
            except NumberError as error:
                self._problem(
                    "yaml-number",
                    str(error),
                    start,
                    end,
                    hint="put it in quotes if it is a name or a text",
                )
                data = None
            value = _Value(data, start, end, plain=text)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        start, end = _offsets(event)
        if event.tag is not None:
            self._refuse_tag(event.tag, start, end)
        if len(self._open) >= MAX_DEPTH:
            self._too_deep(start, end)
            raise _TooDeepError
        if event.anchor:
            # An alias inside of its own anchor would never end.
            self._anchors.pop(event.anchor, None)
        self._open.append(_Open(event))

    def _finish(self, event: yaml.CollectionEndEvent) -> _Value:
        done = self._open.pop()
        value = _Value(
            done.data,
            done.start,
            _offsets(event)[1],
            done.places,
            done.size,
            done.height,
        )
        if done.anchor:
            self._anchors[done.anchor] = value
        return value

    def _alias(self, event: yaml.AliasEvent) -> _Value:
        start, end = _offsets(event)
        name = event.anchor or ""
        anchored = self._anchors.get(name)
        if anchored is None:
            self._problem(
                "yaml-alias",
                f"no anchor &{name} ends before this alias",
                start,
                end,
            )
            return _REFUSED._replace(start=start, end=end)
        if len(self._open) + anchored.height > MAX_DEPTH:
            self._too_deep(start, end)
            return _REFUSED._replace(start=start, end=end)
        within = self._aliased <= MAX_ALIASED
        self._aliased += anchored.size
        if self._aliased > MAX_ALIASED:
            if within:
                self._problem(
                    "yaml-alias",
                    f"the aliases stand for more than {MAX_ALIASED:,} values",
                    start,
                    end,
                    hint="write the values out, or keep them in one RunConfig",
                )
            return _REFUSED._replace(start=start, end=end)
        return anchored._replace(start=start, end=end)

    def _put(self, value: _Value) -> None:
        if not self._open:
            self._document(value)
            return
        parent = self._open[-1]
        if isinstance(parent.data, list):
            parent.data.append(value.data)
        elif parent.key is None:
            parent.key = value
            return
        elif (key := self._key(parent, parent.key)) is None:
            parent.key = None
            return
        else:
            parent.key = None
            parent.data[key] = value.data
        places = parent.places
        if value.places is not None:
            places.inner[len(places.values) // 2] = value.places
        places.values.append(value.start)
        places.values.append(value.end)
        parent.size += value.size
        if value.height >= parent.height:
            parent.height = value.height + 1

    def _document(self, value: _Value) -> None:
        # What stands between two `---` may be nothing, or only a comment.
        if value.data is not None:
            self.documents.append(
                Document(value.data, self.source, value.start, value.end, value.places)
            )

    def _key(self, parent: _Open, key: _Value) -> str | None:
        """Check a key and note its place; None when its value has to go."""
        name = key.data
        if key.plain == "<<":
            self._problem(
                "yaml-merge-key",
                "`<<` is not part of YAML 1.2",
                key.start,
                key.end,
                hint="write the keys out, or share a config with RunConfig",
            )
            return None
        if not isinstance(name, str):
            shown = key.plain if key.plain is not None else "of a list or mapping"
            self._problem(
                "wrong-type",
                f"the key {shown} is not a string" if shown else "a key is missing",
                key.start,
                key.end,
                hint=f'put it in quotes: "{shown}"' if key.plain else None,
            )
            return None
        places = parent.places
        if (first := places.index.get(name)) is not None:
            before = self.source.span(*places.keys[2 * first : 2 * first + 2])
            self.report(
                Diagnostic(
                    code="repeated-key",
                    message=f"the key `{name}` is repeated",
                    span=self.source.span(key.start, key.end),
                    hint="keep one of the two",
                    related=((before, "it stands here first"),),
                )
            )
            return None
        places.index[name] = len(places.index)
        places.keys.append(key.start)
        places.keys.append(key.end)
        return name

    def _refuse_tag(self, tag: str, start: int, end: int) -> None:
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        written = self.source.text[start:end].split(maxsplit=1)[0]
        self._problem(
            "yaml-tag",
            f"the tag {shown} is refused",
            start,
            start + len(written),
            hint="quotes make a string; nothing else is needed",
        )

    def _too_deep(self, start: int, end: int) -> None:
        self._problem(
            "yaml-depth",
            f"lists and mappings are nested more than {MAX_DEPTH} deep",
            start,
            end,
        )

    def _problem(
        self, code: str, message: str, start: int, end: int, hint: str | None = None
    ) -> None:
        span = self.source.span(start, end)
        self.report(Diagnostic(code=code, message=message, span=span, hint=hint))


def _offsets(event: yaml.Event) -> tuple[int, int]:
    start, end = event.start_mark, event.end_mark
    assert start is not None
    assert end is not None
    return start.index, end.index


# --- What libyaml says

_ADVICE: Final = {
    "\t": "indent with spaces: YAML allows no tabs there",
    "@": "put the value in quotes: it can't begin with @",
    "`": "put the value in quotes: it can't begin with a backtick",
    "%": "put the value in quotes: it can't begin with %",
}


def _syntax(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    assert mark is not None, error
    at = mark.index
    if mark.index >= len(source.text) and source.text:
        # At the very end: the last character that is there says more.
        at = len(source.text.rstrip()) - 1
    what = error.problem or "the text is not YAML"
    hint = None
    if "cannot start any token" in what:
        hint = _ADVICE.get(source.text[at : at + 1])
    elif "mapping values are not allowed" in what:
        hint = "quote a value that holds `: `; give all keys of a mapping one indent"
    related: tuple[tuple[Span, str], ...] = ()
    if error.context and error.context_mark:
        begin = error.context_mark.index
        if begin != at:
            related = ((source.span(begin, begin + 1), error.context),)
    return Diagnostic(
        code="yaml-syntax",
        message=what,
        span=source.span(max(at, 0), max(at, 0) + 1),
        hint=hint,
        related=related,
    )
