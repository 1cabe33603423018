"""Lines that were checked one by one to the content of a slot.

What can only be told of all lines of a data row is told here: what stands twice,
what is too much, and the uuids of annotations that have none.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

import msgspec

from reconciler.annotations.aside import PARTS, Entry, SpooledLines, entries
from reconciler.annotations.checked import MetricKey
from reconciler.annotations.content import content_of, contents_of, label_hash
from reconciler.annotations.features import Feature, Features
from reconciler.annotations.findings import At, Finding, Findings
from reconciler.annotations.marks import marks_of, metric_identity, pack
from reconciler.annotations.problems import show
from reconciler.annotations.rows import Row, decode
from reconciler.annotations.rules import Rules
from reconciler.annotations.uuids import derived_uuid
from reconciler.diagnostics import Span
from reconciler.rows.spool import Spool
from reconciler.state.canonical import JsonValue
from reconciler.state.labels import ContentHash
from reconciler.state.uploads import Chunk, Family, Slot


class _Named(NamedTuple):
    """An annotation that has its uuid, and the line that says so."""

    uuid: str
    line: bytes
    entry: Entry


_Rows: TypeAlias = Mapping[str, list[Entry]]

_encode: Final = msgspec.json.Encoder().encode
_Fields: TypeAlias = dict[str, msgspec.Raw]
_decode_fields: Final = msgspec.json.Decoder(_Fields).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealer:
    """Makes slots of the lines of one family.

    Attributes:
        owner: Whose they are; see `uuids.derived_uuid`.
        family: What they are.
        of: How many slots there are.
        rules: Limits.
        features: What the ontology has.
        used: The features in use, by the positions that lines have.
        lines: Where the lines of slots go.
        findings: Where problems go.
        relate: Whether relationships need ends; not when lines are missing.
    """

    owner: Sequence[str]
    family: Family
    of: int
    rules: Rules
    features: Features
    used: Sequence[Feature]
    lines: Spool
    findings: Findings
    relate: bool

    def chunks(self, spool: Spool, contents: dict[str, ContentHash]) -> Iterator[Chunk]:
        """Go through the slots that hold anything, in their order.

        Args:
            spool: All lines of the family; see `aside`.
            contents: For labels: where it goes what the label of each row says.
        """
        groups = min(self.of, PARTS)
        for _, parts in groupby(spool.parts(), lambda part: part * groups // PARTS):
            lines = [one for part in parts for one in entries(spool, part)]
            slots: dict[Slot, dict[str, list[Entry]]] = {}
            for row, of_row in _by_row(lines).items():
                slots.setdefault(Slot.holding(row, self.of), {})[row] = of_row
            for slot, rows in sorted(slots.items()):
                yield self._chunk(slot, rows, contents)

    def _chunk(
        self, slot: Slot, rows: _Rows, contents: dict[str, ContentHash]
    ) -> Chunk:
        lines: list[bytes] = []
        marks: list[bytes] = []
        for row, given in rows.items():
            if self.family is Family.METRICS:
                self._check_metrics(given)
                keys = [MetricKey(*kept.metric) for kept, _ in given if kept.metric]
                marks += marks_of(row, map(metric_identity, keys))
                lines += [raw.lstrip() for _, raw in given]
                continue
            annotations = self._named(row, given)
            self._check_annotations(row, annotations)
            marks += marks_of(row, [uuid for uuid, _, _ in annotations])
            lines += [line for _, line, _ in annotations]
            if self.family is Family.LABELS:
                contents[row] = self._content(annotations)
        lines.sort()
        lines.append(b"")
        body = b"\n".join(lines)
        self.lines.add(slot.number, body)
        return Chunk(
            slot=slot,
            digest=hashlib.sha256(body).hexdigest(),
            count=len(lines) - 1,
            rows=len(rows),
            lines=SpooledLines(self.lines, slot.number),
            marks=pack(marks),
            names=tuple(sorted(rows)) if self.family is Family.LABELS else (),
        )

    def _check_metrics(self, given: Sequence[Entry]) -> None:
        seen: dict[object, Entry] = {}
        counted: set[object] = set()
        by_name = self.rules.metrics_counted == "names"
        for entry in given:
            key = entry.kept.metric
            assert key
            if first := seen.get(key):
                self._refuse(
                    entry,
                    "metric-twice",
                    f"the metric {_metric_words(key)} is there twice for the data row "
                    f"{show(entry.kept.row)}",
                    "metricName",
                    first,
                )
                continue
            seen[key] = entry
            counts = key[0] if by_name else key
            if counts not in counted and len(counted) >= self.rules.metrics_per_row:
                self._refuse(
                    entry,
                    "too-many-metrics",
                    f"a data row takes {self.rules.metrics_per_row} metrics; for "
                    f"{show(entry.kept.row)} this is one more",
                    "metricName",
                )
            else:
                counted.add(counts)

    def _check_annotations(self, row: str, annotations: Sequence[_Named]) -> None:
        answered = set(self._check_answers(row, annotations))
        seen: dict[str, Entry] = {}
        for uuid, _, entry in annotations:
            first = seen.setdefault(uuid, entry)
            if first is not entry and entry.at not in answered:
                self._refuse(
                    entry,
                    "uuid-twice",
                    f"the data row {show(row)} has two annotations with the uuid {uuid}",
                    "uuid",
                    first,
                )
        if len(annotations) > self.rules.annotations_per_feature:
            self._check_counts(annotations)
        if self.relate and any(one.entry.kept.ends for one in annotations):
            self._check_ends(row, annotations)

    def _check_answers(self, row: str, annotations: Sequence[_Named]) -> Iterator[At]:
        """Refuse second answers of a whole row, or of one of its messages.

        A label would hold both, for good.

        Returns:
            The places of those that are refused.
        """
        whole = [one for one in annotations if one.entry.kept.whole]
        times = Counter(one.entry.kept.feature for one in whole)
        seen: dict[tuple[int, str | None], Entry] = {}
        several = (one for one in whole if times[one.entry.kept.feature] > 1)
        for _, line, entry in sorted(several, key=_place_of):
            message = decode(line).message_id
            first = seen.setdefault((entry.kept.feature, message), entry)
            if first is entry:
                continue
            of = "" if message is None else f"the message {show(message)} of "
            name = self.used[entry.kept.feature].name
            self._refuse(
                entry,
                "answered-twice",
                f"{of}the data row {show(row)} has two answers to {show(name)}",
                "name",
                first,
            )
            yield entry.at

    def _check_counts(self, annotations: Sequence[_Named]) -> None:
        most = self.rules.annotations_per_feature
        counts: Counter[int] = Counter()
        for _, _, entry in annotations:
            feature = entry.kept.feature
            counts[feature] += 1
            if feature >= 0 and counts[feature] > most:
                self._refuse(
                    entry,
                    "annotation-invalid",
                    f"the data row {show(entry.kept.row)} has more than {most} "
                    f"annotations of {show(self.used[feature].name)}",
                )

    def _check_ends(self, row: str, annotations: Sequence[_Named]) -> None:
        there = {one.uuid for one in annotations if one.entry.kept.ends is None}
        for _, _, entry in annotations:
            for end, uuid in zip(
                ("source", "target"), entry.kept.ends or (), strict=False
            ):
                if uuid is not None and uuid not in there:
                    self._refuse(
                        entry,
                        "annotation-invalid",
                        f"relationship.{end} is {uuid}; the data row {show(row)} has no "
                        "such annotation",
                        f"relationship.{end}",
                    )

    def _named(self, row: str, given: Sequence[Entry]) -> Sequence[_Named]:
        """Give every annotation of a row its uuid, in the order of the entries.

        Equal ones are told apart by counting, in the order of their bytes: no
        other order would stay the same however lines are shuffled.
        """
        named = [
            _Named(entry.kept.uuid, entry.raw.lstrip(), entry)
            for entry in given
            if entry.kept.uuid is not None
        ]
        if len(named) == len(given):
            return named
        counts: Counter[str] = Counter()
        nameless = [one for one in given if one.kept.uuid is None]
        for entry in sorted(nameless, key=lambda one: one.raw.lstrip()):
            line = entry.raw.lstrip()
            position = entry.kept.feature
            feature = self.used[position] if position >= 0 else None
            content = self._identity(decode(line), feature, whole=entry.kept.whole)
            asked = feature.instructions if feature else ""
            uuid = first = derived_uuid(self.owner, row, asked, content, 0)
            if n := counts[first]:
                uuid = derived_uuid(self.owner, row, asked, content, n)
            counts[first] += 1
            named.append(_Named(uuid, _with_uuid(line, uuid), entry))
        return named

    def _identity(self, row: Row, feature: Feature | None, *, whole: bool) -> JsonValue:
        """Say what an annotation is known by.

        A data row has one answer to a classification of all of it, and one of
        each message: a corrected answer stands for the one before.
        """
        if whole:
            return row.message_id
        marks = self.family is Family.PREDICTIONS
        return content_of(row, feature, marks=marks, features=self.features)

    def _content(self, annotations: Sequence[_Named]) -> ContentHash:
        pairs = []
        for _, line, entry in annotations:
            position = entry.kept.feature
            feature = self.used[position] if position >= 0 else None
            pairs.append((decode(line), feature))
        return label_hash(contents_of(pairs, marks=False, features=self.features))

    def _refuse(
        self,
        entry: Entry,
        code: str,
        message: str,
        path: str = "",
        first: Entry | None = None,
    ) -> None:
        related: tuple[tuple[Span, str], ...] = ()
        if first:
            place = self.findings.place(first.kept.source, first.kept.line)
            related = ((place, "the first one"),)
        self.findings.add(
            Finding(code=code, message=message, at=entry.at, path=path, related=related)
        )


def _by_row(lines: Sequence[Entry]) -> _Rows:
    """Bring the lines of each row together, in the order of the text."""
    rows: dict[str, list[Entry]] = {}
    for entry in lines:
        rows.setdefault(entry.kept.row, []).append(entry)
    return rows


def _place_of(one: _Named) -> tuple[int, int]:
    return one.entry.kept.source, one.entry.kept.line


def _with_uuid(line: bytes, uuid: str) -> bytes:
    if b'"uuid"' in line:
        fields = _decode_fields(line)
        if fields.pop("uuid", None) is not None:
            line = _encode(fields)  # a null that came after would count
    return b'{"uuid":"%b",%b' % (uuid.encode(), line[1:])


def _metric_words(key: tuple[str | None, str | None, str | None]) -> str:
    name, feature, subclass = key
    said = "without a name" if name is None else show(name)
    of = [show(one) for one in (feature, subclass) if one is not None]
    return f"{said} of {', '.join(of)}" if of else said
