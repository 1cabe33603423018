"""A document with a matrix to the runs that it declares.

Names are made of axes, so what is one run today is the same run tomorrow,
whatever else the matrix comes to hold.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from math import prod
from operator import and_, or_
from typing import Final

from reconciler.diagnostics import Diagnostic, Span, counted
from reconciler.manifest.document import Document
from reconciler.manifest.fields import name_objection
from reconciler.manifest.schema import MatrixShape, ModelRunManifest
from reconciler.manifest.variants import (
    PLACEHOLDER,
    Expansion,
    Values,
    Variant,
    describe,
    fill,
)
from reconciler.rows.problems import nearest
from reconciler.state.address import run_address
from reconciler.state.canonical import (
    JsonObject,
    JsonValue,
    canonical_bytes,
    canonicalise,
)

_LARGEST: Final = 100_000
"""How many combinations are gone through, before any is left out."""


def expand(document: Document, manifest: ModelRunManifest) -> Expansion:
    """Find the runs that a document declares; without a matrix it is one."""
    if manifest.matrix is None:
        return Expansion((Variant(run_address(manifest.model, manifest.name)),))
    matrix = manifest.matrix
    problems = list(_check_axes(document, matrix)) or [
        *_check_points(document, matrix),
        *_check_placeholders(document, manifest, matrix),
    ]
    if problems:
        return Expansion((), tuple(problems))
    combined = prod(map(len, matrix.axes.values()))
    if combined > _LARGEST:
        return Expansion((), (_endless(document, combined),))
    points, unused = _points(document, matrix)
    problems.extend(unused)
    if len(points) > matrix.cap:
        problems.append(_too_many(document, matrix, len(points)))
    elif not points:
        problems.append(_nothing_left(document))
    if problems:
        return Expansion((), tuple(problems))
    return _named(manifest, points)


def check_paths(
    document: Document, matrix: MatrixShape, config: JsonObject
) -> Iterator[Diagnostic]:
    """Find axes that lead through a value of the config that is no mapping."""
    for axis in matrix.axes:
        inner: JsonValue = config
        walked: list[str] = []
        for part in axis.split(".")[:-1]:
            walked.append(part)
            inner = inner.get(part, {}) if isinstance(inner, dict) else {}
            if not isinstance(inner, dict):
                yield _axis_problem(
                    document,
                    axis,
                    f"the axis `{axis}` leads through `{'.'.join(walked)}`, which is "
                    "no mapping in the config",
                    "an axis is a dotted path into the config, such as optimizer.lr",
                )


# --- The matrix by itself


def _check_axes(document: Document, matrix: MatrixShape) -> Iterator[Diagnostic]:
    for axis in matrix.axes:
        parts = axis.split(".")
        if not all(parts) or PLACEHOLDER.fullmatch(f"{{{axis}}}") is None:
            yield _axis_problem(
                document,
                axis,
                f"`{axis}` is no path into a config",
                "write keys with dots between, such as optimizer.lr, without braces",
            )
        for length in range(1, len(parts)):
            above = ".".join(parts[:length])
            if above in matrix.axes:
                yield _axis_problem(
                    document,
                    axis,
                    f"the axis `{axis}` leads through `{above}`, which is an axis too",
                    "axes are single values of the config",
                )


def _axis_problem(document: Document, axis: str, message: str, hint: str) -> Diagnostic:
    span = document.key_span(("matrix", "axes", axis))
    return Diagnostic("axis-path", message, span, hint)


def _check_points(document: Document, matrix: MatrixShape) -> Iterator[Diagnostic]:
    for name, points in (("include", matrix.include), ("exclude", matrix.exclude)):
        for position, point in enumerate(points):
            path = ("matrix", name, position)
            for axis in point:
                if axis not in matrix.axes:
                    span = document.key_span((*path, axis))
                    yield _unknown(axis, matrix.axes, span)
            missing = [axis for axis in matrix.axes if axis not in point]
            if name == "include" and missing:
                axes = ", ".join(f"`{axis}`" for axis in missing)
                yield Diagnostic(
                    "missing-field",
                    f"`matrix.include[{position}]` needs {axes}",
                    document.span(path),
                    "a combination that is included has a value for every axis",
                )


def _unknown(axis: str, axes: Iterable[str], span: Span) -> Diagnostic:
    return Diagnostic(
        "unknown-axis",
        f"`{axis}` is no axis of the matrix",
        span,
        nearest(axis, axes) or f"the axes are {', '.join(axes)}",
    )


def _check_placeholders(
    document: Document, manifest: ModelRunManifest, matrix: MatrixShape
) -> Iterator[Diagnostic]:
    found = PLACEHOLDER.findall(manifest.name)
    span = document.span(("name",))
    for axis in dict.fromkeys(found):
        if axis not in matrix.axes:
            yield _unknown(axis, matrix.axes, span)
    for axis in matrix.axes:
        if axis not in found:
            yield Diagnostic(
                "axis-not-in-name",
                f"the name doesn't hold the axis `{axis}`",
                span,
                f"runs are told apart by name: write {{{axis}}} into it",
            )
    for path, file in _files(manifest):
        for axis in dict.fromkeys(PLACEHOLDER.findall(file)):
            if axis not in matrix.axes:
                yield _unknown(axis, matrix.axes, document.span(path))


def _files(
    manifest: ModelRunManifest,
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name in ("predictions", "metrics"):
        for position, shape in enumerate(getattr(manifest, name) or ()):
            if file := getattr(shape, "file", None):
                yield (name, position, "file"), file


# --- Combinations


@dataclass(frozen=True, slots=True)
class _Point:
    values: Values
    span: Span


def _points(
    document: Document, matrix: MatrixShape
) -> tuple[Sequence[_Point], Sequence[Diagnostic]]:
    """Combine the axes, and say which exclusions exclude nothing."""
    axes = {
        axis: [canonicalise(value) for value in values]
        for axis, values in matrix.axes.items()
    }
    excluded = 0
    unused: list[Diagnostic] = []
    hits = _hits(axes, [_canonical(point) for point in matrix.exclude])
    for position, hit in enumerate(hits):
        excluded |= hit
        if not hit:
            problem = Diagnostic(
                "wrong-value",
                f"`matrix.exclude[{position}]` excludes nothing",
                document.span(("matrix", "exclude", position)),
                "take it out, or give it values that the axes have",
            )
            unused.append(problem)
    left_out = _bits(excluded, prod(map(len, axes.values())))
    span = document.span(("name",))
    points = [
        _Point(dict(zip(axes, combination, strict=True)), span)
        for combination, left in zip(product(*axes.values()), left_out, strict=True)
        if not left
    ]
    for position, point in enumerate(matrix.include):
        values = _canonical({axis: point[axis] for axis in matrix.axes})
        at = document.span(("matrix", "include", position))
        points.append(_Point(values, at))
    return points, unused


def _canonical(point: Mapping[str, object]) -> dict[str, JsonValue]:
    return {axis: canonicalise(value) for axis, value in point.items()}


def _hits(
    axes: Mapping[str, Sequence[JsonValue]], excluded: Sequence[Values]
) -> Iterator[int]:
    """Find the combinations that each exclusion leaves out.

    Combinations are numbered as `product` makes them, and a set of them is an
    integer with a bit for each: so a thousand exclusions cost about as little
    as one.
    """
    number = stride = prod(map(len, axes.values()))
    everything = (1 << number) - 1
    named = {axis for point in excluded for axis in point}
    strides: dict[str, int] = {}
    firsts: dict[str, int] = {}
    positions: dict[tuple[str, bytes], list[int]] = {}
    for axis, values in axes.items():
        period, stride = stride, stride // len(values)
        if axis not in named:
            continue
        strides[axis] = stride
        once = f"{'0' * (period - stride)}{'1' * stride}"
        firsts[axis] = int(once * (number // period), 2)
        for position, value in enumerate(values):
            positions.setdefault((axis, canonical_bytes(value)), []).append(position)

    def hit(axis: str, value: JsonValue) -> int:
        found = positions.get((axis, canonical_bytes(value)), ())
        return reduce(or_, (firsts[axis] << n * strides[axis] for n in found), 0)

    for point in excluded:
        hits = (hit(axis, value) for axis, value in point.items())
        yield reduce(and_, hits, everything)


def _bits(number: int, count: int) -> Iterator[bool]:
    """Give the bits of a number, the lowest first."""
    return (bit == "1" for bit in reversed(f"{number:0{count}b}"))


def _too_many(document: Document, matrix: MatrixShape, number: int) -> Diagnostic:
    return Diagnostic(
        "matrix-size",
        f"the matrix makes {counted(number, 'run')}, and its cap is {matrix.cap:,}",
        document.key_span(("matrix", "axes")),
        "raise `cap` if so many are meant",
    )


def _endless(document: Document, number: int) -> Diagnostic:
    return Diagnostic(
        "matrix-size",
        f"the axes have {counted(number, 'combination')}: "
        f"no more than {_LARGEST:,} are gone through",
        document.key_span(("matrix", "axes")),
    )


def _nothing_left(document: Document) -> Diagnostic:
    return Diagnostic(
        "matrix-size",
        "the matrix makes no runs: `exclude` leaves out every combination",
        document.key_span(("matrix", "exclude")),
    )


def _named(manifest: ModelRunManifest, points: Sequence[_Point]) -> Expansion:
    """Give every combination its name, and find names that are given twice."""
    first: dict[str, _Point] = {}
    problems: list[Diagnostic] = []
    for point in points:
        name = fill(manifest.name, point.values)
        if why := name_objection(name):
            problem = Diagnostic(
                "wrong-value",
                f"the name {name!r}, of {describe(point.values)}, {why}",
                point.span,
            )
            problems.append(problem)
        elif name in first:
            problem = _collision(name, first[name], point)
            problems.append(problem)
        else:
            first[name] = point
    variants = tuple(
        Variant(run_address(manifest.model, name), point.values)
        for name, point in first.items()
    )
    return Expansion(() if problems else variants, tuple(problems))


def _collision(name: str, first: _Point, second: _Point) -> Diagnostic:
    one, other = describe(first.values), describe(second.values)
    which = f"{one}, and of {other}" if one != other else f"{one}, which is there twice"
    return Diagnostic(
        "repeated-name",
        f"two runs would be named {name!r}: of {which}",
        second.span,
        "take one of the two out",
    )
