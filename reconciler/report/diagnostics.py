"""Problems for a terminal: where, what, the line with a caret, what to do."""

import unicodedata
from collections.abc import Iterable, Iterator

from click import style

from reconciler.diagnostics import Diagnostic, counted
from reconciler.report.summary import SAMPLES, plain


def render_diagnostics(
    diagnostics: Iterable[Diagnostic], *, color: bool = False
) -> str:
    """Show problems in the order of the text, and how many there are."""
    head = style("Error", fg="red", bold=True) if color else "Error"
    return _render(diagnostics, head, "problem")


def render_warnings(warnings: Iterable[Diagnostic], *, color: bool = False) -> str:
    """Show what stops nothing, as problems are shown; nothing where nothing is."""
    head = style("Warning", fg="yellow", bold=True) if color else "Warning"
    return _render(warnings, head, "warning")


def _render(diagnostics: Iterable[Diagnostic], head: str, word: str) -> str:
    listed = tuple(diagnostics)
    if not listed:
        return ""
    lines = [line for one in listed for line in (*_diagnostic(one, head), "")]
    if len(listed) > 1:
        lines.append(f"{counted(len(listed), word)}.")
    return "\n".join(lines).rstrip("\n") + "\n"


def _diagnostic(one: Diagnostic, head: str) -> Iterator[str]:
    place = f"{plain(str(one.span))}: " if one.span else ""
    yield f"{head}: {place}{plain(one.message)} [{one.code}]"
    if one.span and one.excerpt is not None:
        yield from _excerpt(one.excerpt, one.span.column, one.span.end_column)
    for detail in one.details[:SAMPLES]:
        yield f"    {plain(detail)}"
    if (more := len(one.details) - SAMPLES) > 0:
        yield f"    and {more:,} more"
    for span, message in one.related:
        yield f"  {plain(str(span))}: {plain(message)}"
    if one.hint:
        yield f"  Hint: {plain(one.hint)}"


def _excerpt(line: str, column: int, end_column: int) -> Iterator[str]:
    # Escapes would shift the caret: what can't be printed is one space wide.
    shown = "".join(c if c.isprintable() else " " for c in line)
    yield f"    {shown}"
    before = _width(shown[: column - 1])
    under = max(1, _width(shown[column - 1 : max(column, end_column - 1)]))
    yield f"    {' ' * before}{'^' * under}"


def _width(text: str) -> int:
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
