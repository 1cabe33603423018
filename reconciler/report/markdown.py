"""Plans for a pull request's comment: short enough, and safe to render.

Names, keys and config values come from strangers. None of them may mention a
person, link anywhere, close a code span or a list, or hide text; and the sums,
the digest and what is blocked must survive however long the rest is.
"""

import re
from collections.abc import Iterator
from typing import Final

from reconciler.diagnostics import counted
from reconciler.plan.build import LOCAL, Plan
from reconciler.plan.changes import Action, Blocked, Change, Missing, Notice
from reconciler.report.contents import Line, label_lines, upload_lines
from reconciler.report.summary import (
    SAMPLES,
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

COMMENT_LIMIT: Final = 65_536
"""Characters that GitHub takes in a comment."""

_RESERVED: Final = 200  # for the line that says how much was left out
_LONGEST_LINE: Final = 2_000
_SPECIAL = re.compile(r"[\\`*_~\[\](){}!<>&|#@+=.:/^$'\"-]")
_RUNES = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.ADOPT: "adopt",
    Action.KEEP: "keep",
}


def render_markdown(plan: Plan, *, limit: int = COMMENT_LIMIT) -> str:
    """Show a plan as GitHub-flavoured Markdown of at most *limit* characters.

    Sums and digest come first, then what is blocked, then the changes, those
    that take something away before the others. What doesn't fit is counted.
    """
    head = "\n".join(_head(plan)) + "\n"
    room = limit - len(head) - _RESERVED
    written: list[str] = []
    entries = list(_entries(plan))
    for number, entry in enumerate(entries):
        if len(entry) > room:
            left = len(entries) - number
            written.append(
                f"\n_{left:,} more entries don't fit here; "
                "`reconciler plan --output json` has them all._\n"
            )
            break
        room -= len(entry)
        written.append(entry)
    return head + "".join(written)


def escape(text: str) -> str:
    """Make text render as itself in Markdown, and as nothing else.

    Every character with a meaning in Markdown, HTML or GitHub's own additions
    (mentions, references, links found in plain text) becomes an entity.
    """
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", plain(text))


def code(text: str) -> str:
    """Put text into a code span that it can't close."""
    safe = plain(text)
    longest = max((len(run) for run in re.findall("`+", safe)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or not safe.strip() else ""
    return f"{fence}{pad}{safe}{pad}{fence}"


def _head(plan: Plan) -> Iterator[str]:
    sums = summarise(plan)
    title = "Nothing to do" if not plan else "Plan"
    yield f"### {title}: workspace {code(_cut(plan.workspace))}"
    yield ""
    where = (
        "the embedded server"
        if plan.target.endpoint == LOCAL
        else (
            f"{code(_cut(plan.target.endpoint))}, organisation "
            f"{code(_cut(plan.target.name))}"
        )
    )
    narrowed = f", narrowed to {code(_cut(plan.selection))}" if plan.selection else ""
    yield f"On {where}{narrowed}."
    yield ""
    yield (
        f"{sums.created} to create, {sums.updated} to update, {sums.adopted} to adopt, "
        f"{sums.unchanged} unchanged, **{sums.blocked} blocked**"
    )
    if plan:
        yield ""
        yield (
            f"Rows: **{sums.rows_removed:,} to remove**, {sums.rows_moved:,} to move, "
            f"{sums.rows_added:,} to add; "
            f"{counted(sums.data_rows_uploaded, 'data row')} to upload"
        )
        if contents := contents_words(sums):
            yield ""
            yield f"Contents: {contents}"
        yield ""
        yield f"Digest: {code(plan.digest)}"


def _entries(plan: Plan) -> Iterator[str]:
    for blocked in plan.blocked:
        yield "\n" + "\n".join(map(_cut, _blocked(blocked))) + "\n"
    changes = [one for one in plan.changes if one.action is not Action.KEEP]
    for change in in_reading_order(changes):
        yield "\n" + "\n".join(map(_cut, _change(change))) + "\n"
    for notice in plan.notices:
        if notice.code != "adoption":
            yield "\n" + _cut(_notice(notice)) + "\n"


def _blocked(one: Blocked) -> Iterator[str]:
    yield f"- **blocked** {code(str(one.address))}: {escape(one.message)}"
    yield f"  - to let it pass: {code(one.allow)}"


def _notice(one: Notice) -> str:
    where = f"{code(str(one.address))}: " if one.address else ""
    return f"- notice: {where}{escape(one.message)}"


def _change(change: Change) -> Iterator[str]:
    taken = (
        f" — exists already as {code(change.id or '')}; it is adopted"
        if change.reason.adopts
        else ""
    )
    yield f"- **{_RUNES[change.action]}** {code(str(change.address))}{taken}"
    if change.rows:
        yield from _rows(change.rows)
    if change.data_rows:
        names = [row.global_key for row in change.data_rows.created[:SAMPLES]]
        total = len(change.data_rows.created)
        yield f"  - upload {counted(total, 'data row')}: {code(shortened(names, total))}"
    if change.labels:
        yield from map(_line, label_lines(change.labels, shown=SAMPLES))
    for uploads in change.uploads:
        yield from map(_line, upload_lines(uploads))
    for field in change.fields:
        name = code(dotted(field))
        if isinstance(field.before, Missing):
            yield f"  - {name}: {code(shown(field.after))}"
        elif isinstance(field.after, Missing):
            yield f"  - {name}: ~~{escape(shown(field.before))}~~ (removed)"
        else:
            yield f"  - {name}: {code(shown(field.before))} → {code(shown(field.after))}"


def _rows(rows: RowsChange) -> Iterator[str]:
    if rows.removed:
        names = [row_name(row) for row in rows.removed[:SAMPLES]]
        listed = code(shortened(names, rows.removed_count))
        yield f"  - **remove {counted(rows.removed_count, 'row')}**: {listed}"
    for (before, after), moved in rows.moved.items():
        listed = code(shortened(moved[:SAMPLES], len(moved)))
        yield f"  - move {counted(len(moved), 'row')}, {before} → {after}: {listed}"
    for split, added in rows.added.items():
        listed = code(shortened(added[:SAMPLES], len(added)))
        yield f"  - add {counted(len(added), 'row')} to {split}: {listed}"


def _line(line: Line) -> str:
    names = f": {code(shortened(line.names, line.total))}" if line.names else ""
    return f"  - {escape(line.text)}{names}"


def _cut(line: str) -> str:
    # Never inside an entity or a code span: a line that long is replaced.
    if len(line) <= _LONGEST_LINE:
        return line
    return "  - (a line too long to show here)"
