"""The ground truth of a run's rows, by the ids of the labels."""

from typing import TypeAlias

from reconciler.diagnostics import Diagnostic
from reconciler.manifest.document import Document
from reconciler.manifest.schema import RowNames
from reconciler.manifest.select import Files, SpecBuilder
from reconciler.rows.listing import Entry, read_label_ids
from reconciler.rows.problems import Problems
from reconciler.state.address import RemoteId
from reconciler.state.labels import LabelIds

Path: TypeAlias = tuple[str | int, ...]

NO_LABELS = LabelIds(frozenset())
"""A run without labels."""


def read_ids(
    files: Files, document: Document, names: RowNames, path: Path
) -> tuple[LabelIds | None, tuple[Diagnostic, ...]]:
    """Read the label ids that stand at *path*, and in the files named there.

    Returns:
        The ids, or None and everything that is wrong with them.
    """
    if names == []:
        why = Diagnostic(
            "selects-nothing",
            f"`{path[-1]}` names no labels",
            document.span(path),
            "`labels: none` means a run without labels",
        )
        return None, (why,)
    builder = SpecBuilder(files, document)
    sources = builder.sources(names, path)
    problems = Problems()
    for found in builder.problems:
        problems.add(found)
    first: dict[str, Entry] = {}
    for entry in read_label_ids(sources, problems):
        before = first.setdefault(entry.name, entry)
        if before is not entry:
            twice = entry.problem(
                "label-twice",
                f"the label {entry.name!r} is named twice",
                related=((before.span, "named here first"),),
            )
            problems.add(twice)
    if problems:
        return None, tuple(problems)
    return LabelIds(frozenset(map(RemoteId, first))), ()
