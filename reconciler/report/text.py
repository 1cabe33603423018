"""Plans and outcomes for a terminal, in plain text or with colour."""

from collections.abc import Iterator
from typing import Final

from click import style

from reconciler.diagnostics import counted
from reconciler.plan.build import LOCAL, Plan
from reconciler.plan.changes import Action, Change, DataRowsChange, FieldChange, Missing
from reconciler.plan.compare import PlanDifference
from reconciler.report.contents import Line, label_lines, upload_lines
from reconciler.report.summary import (
    contents_words,
    dotted,
    in_reading_order,
    plain,
    row_name,
    shortened,
    shown,
    summarise,
)
from reconciler.rows.change import RowsChange
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.resources import Ontology

SHOWN: Final = 5
"""How many rows a line names; the JSON has more."""

_RUNES: Final = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.ADOPT: (">", "cyan"),
    Action.KEEP: ("=", None),
}


def render_plan(plan: Plan, *, color: bool = False) -> str:
    """Show a plan: what is taken away first, then the rest, then the sums."""
    return "\n".join(_plan(plan, _Pen(color=color))) + "\n"


def render_differences(differences: tuple[PlanDifference, ...]) -> str:
    """Show how a plan made now differs from the saved one."""
    lines = ["The plan no longer fits what is there; nothing was done:"]
    for one in differences:
        where = f"{one.address}: " if one.address else ""
        lines.append(f"  {where}{plain(one.message)}")
    lines.append("Make a new plan, and have it reviewed.")
    return "\n".join(lines) + "\n"


class _Pen:
    def __init__(self, *, color: bool) -> None:
        self._color = color

    def __call__(self, text: str, fg: str | None, *, bold: bool = False) -> str:
        return style(text, fg=fg, bold=bold) if self._color else text


def _plan(plan: Plan, pen: _Pen) -> Iterator[str]:
    where = (
        "the embedded server"
        if plan.target.endpoint == LOCAL
        else f"{plan.target.endpoint}, organisation {plan.target.name}"
    )
    yield f"Workspace {plain(plan.workspace)} on {plain(where)}" + (
        f", narrowed to {plain(plan.selection)}" if plan.selection else ""
    )
    shown_changes = [one for one in plan.changes if one.action is not Action.KEEP]
    for change in in_reading_order(shown_changes):
        yield ""
        yield from _change(change, pen)
    yield from _blocked(plan, pen)
    yield from _notices(plan, pen)
    yield ""
    yield from _sums(plan, pen)


def _change(change: Change, pen: _Pen) -> Iterator[str]:
    rune, colour = _RUNES[change.action]
    origin = f"  ({plain(str(change.origin))})" if change.origin else ""
    yield f"{pen(f'  {rune} {change.address}', colour, bold=True)}{origin}"
    if change.reason.adopts:
        yield f"      exists already as {plain(change.id or '')}; it is adopted"
    if change.rows:
        yield from _rows(change.rows, pen)
    if change.data_rows:
        yield from _data_rows(change.data_rows, pen)
    if change.labels:
        for line in label_lines(change.labels, shown=SHOWN):
            yield _line(line, pen)
    for uploads in change.uploads:
        for line in upload_lines(uploads):
            yield _line(line, pen)
    if isinstance(change.desired, Ontology) and change.action is Action.CREATE:
        yield from (pen(f"      + {line}", "green") for line in _asked(change.desired))
        return
    for field in change.fields:
        yield _field(field, pen)


def _rows(rows: RowsChange, pen: _Pen) -> Iterator[str]:
    if rows.removed:
        names = [row_name(row) for row in rows.removed[:SHOWN]]
        yield pen(
            f"      - remove {counted(rows.removed_count, 'row')}: "
            f"{shortened(names, rows.removed_count)}",
            "red",
        )
    for (before, after), moved in rows.moved.items():
        yield pen(
            f"      ~ move {counted(len(moved), 'row')} from {before} to {after}: "
            f"{shortened(moved[:SHOWN], len(moved))}",
            "yellow",
        )
    for split, added in rows.added.items():
        yield pen(
            f"      + add {counted(len(added), 'row')} to {split}: "
            f"{shortened(added[:SHOWN], len(added))}",
            "green",
        )
    if rows.kept:
        yield f"        keep {counted(rows.kept, 'row')} as they are"


def _data_rows(rows: DataRowsChange, pen: _Pen) -> Iterator[str]:
    names = [row.global_key for row in rows.created[:SHOWN]]
    yield pen(
        f"      + upload {counted(len(rows.created), 'data row')}: "
        f"{shortened(names, len(rows.created))}",
        "green",
    )
    if rows.kept:
        yield f"        keep {counted(rows.kept, 'data row')} as they are"


def _line(line: Line, pen: _Pen) -> str:
    names = f": {shortened(line.names, line.total)}" if line.names else ""
    colour = {"+": "green", "~": "yellow"}.get(line.rune)
    return pen(f"      {line.rune or ' '} {line.text}{names}", colour)


def _asked(ontology: Ontology) -> Iterator[str]:
    """Say in a line each what annotators are asked; the JSON has all of it."""
    if ontology.media_type is not None:
        yield f"mediaType: {shown(ontology.media_type)}"
    schema = ontology.schema or {}
    for tool in _mappings(schema.get("tools")):
        yield plain(f"{tool['tool']} {tool['name']}")
    for asked in _mappings(schema.get("classifications")):
        options = ", ".join(str(one["value"]) for one in _mappings(asked["options"]))
        answers = f": {options}" if options else ""
        yield plain(f"{asked['type']} {asked['name']}{answers}")


def _mappings(value: JsonValue) -> Iterator[JsonObject]:
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def _field(field: FieldChange, pen: _Pen) -> str:
    name = dotted(field)
    if isinstance(field.before, Missing):
        return pen(f"      + {name}: {shown(field.after)}", "green")
    if isinstance(field.after, Missing):
        return pen(f"      - {name}: {shown(field.before)}", "red")
    return pen(
        f"      ~ {name}: {shown(field.before)} -> {shown(field.after)}", "yellow"
    )


def _blocked(plan: Plan, pen: _Pen) -> Iterator[str]:
    if not plan.blocked:
        return
    yield ""
    yield pen(f"Blocked ({len(plan.blocked)}):", "red", bold=True)
    for one in plan.blocked:
        yield f"  ! {one.address}: {plain(one.message)} [{one.code}]"
        yield f"    to let it pass: {plain(one.allow)}"


def _notices(plan: Plan, pen: _Pen) -> Iterator[str]:
    # An adoption is shown with its object already.
    said = [one for one in plan.notices if one.code != "adoption"]
    if not said:
        return
    yield ""
    yield pen("Notices:", "cyan", bold=True)
    for one in said:
        where = f"{one.address}: " if one.address else ""
        yield f"  {where}{plain(one.message)} [{one.code}]"


def _sums(plan: Plan, pen: _Pen) -> Iterator[str]:
    sums = summarise(plan)
    if not plan:
        adopted = (
            f" {counted(sums.adopted, 'object')} to adopt," if sums.adopted else ""
        )
        unchanged = f"{counted(sums.unchanged, 'object')} unchanged."
        yield pen("Nothing to do:", "green", bold=True) + f"{adopted} {unchanged}"
        return
    yield (
        pen("Plan:", None, bold=True)
        + f" {sums.created} to create, {sums.updated} to update,"
        f" {sums.adopted} to adopt, {sums.unchanged} unchanged."
    )
    yield (
        f"Rows: {sums.rows_removed:,} to remove, {sums.rows_moved:,} to move,"
        f" {sums.rows_added:,} to add; "
        f"{counted(sums.data_rows_uploaded, 'data row')} to upload."
    )
    if contents := contents_words(sums):
        yield f"Contents: {contents}."
    yield f"Digest: {plan.digest}"
