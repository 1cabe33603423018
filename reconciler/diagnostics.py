"""What is wrong with an input, where, and what to do about it.

The tree of errors that a caller may tell apart:

    ReconcilerError
    ├── InputError          the user's text or files; carries diagnostics
    ├── ledger.LedgerError  what was done can't be written down
    └── ports.RemoteError   the remote refused, failed or can't be reached
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a text; lines and columns count from 1, in code points.

    Attributes:
        file: Path as the user would type it, relative to the workspace.
        line: First line.
        column: First column.
        end_line: Last line; the same as `line` for most places.
        end_column: The column after the last one.
    """

    file: str
    line: int = 1
    column: int = 1
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem.

    Attributes:
        code: Stable, kebab-case, a key of `CATALOGUE`.
        message: What is wrong: lower case, no full stop.
        span: Where; None when no text is to blame.
        hint: What to try; None when the message says it all.
        related: Other places worth a look, with a word on each.
        details: A list that belongs to the message, one item a line, whole.
        excerpt: The source line of `span`, for the caret under it.
    """

    code: str
    message: str
    span: Span | None = None
    hint: str | None = None
    related: tuple[tuple[Span, str], ...] = ()
    details: tuple[str, ...] = ()
    excerpt: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        return f"{place}{self.message} [{self.code}]"


class ReconcilerError(Exception):
    """Root of every error that is the user's or the remote's, not a bug."""


class InputError(ReconcilerError):
    """What the user wrote can't be used; says everything at once.

    Attributes:
        diagnostics: The problems in the order of the text; never empty.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics: Sequence[Diagnostic] = in_order(diagnostics)
        super().__init__("\n".join(map(str, self.diagnostics)))


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort problems by place, those without one last; drop repeats."""
    unique = dict.fromkeys(diagnostics)
    return tuple(
        sorted(unique, key=lambda found: (found.span is None, found.span or Span("")))
    )


def counted(number: int, thing: str) -> str:
    """Write `1 row`, `2 rows`, `1,797 data rows`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


CATALOGUE: Final[dict[str, str]] = {
    # The text of a manifest
    "yaml-syntax": "The text is not YAML. The caret shows where the parser gave up.",
    "yaml-tag": "Tags such as !!python/object or !custom are refused: manifests are data.",
    "yaml-alias": "Anchors and aliases are refused beyond a small expansion, so that a "
    "small file can't grow into a large one.",
    "yaml-depth": "Mappings and lists are nested deeper than any manifest needs.",
    "yaml-merge-key": "`<<` is not part of YAML 1.2; write the keys out, or use configFrom.",
    "yaml-number": "NaN, infinity and numbers beyond JSON's exact range can't be stored.",
    "repeated-key": "A mapping has the same key twice; YAML would silently keep the last.",
    "not-utf8": "The file is not UTF-8 text.",
    "empty-file": "The file holds no document, or no rows.",
    # The shape of a manifest
    "unknown-kind": "The document's kind is not one that this version knows.",
    "unknown-api-version": "The document's apiVersion is not one that this version knows.",
    "unknown-field": "The kind has no field of that name.",
    "missing-field": "A field that the kind requires is absent.",
    "wrong-type": "The value has another type than the field takes.",
    "wrong-value": "The value has the right type, but is not one of those allowed.",
    "misplaced-workspace": "A Workspace document belongs in reconciler.yaml, and only there.",
    # Matrices
    "unknown-axis": "A combination, a name or a file speaks of an axis that the matrix "
    "doesn't have.",
    "axis-not-in-name": "The name of a run with a matrix must hold every axis, because "
    "runs are told apart by name.",
    "axis-path": "An axis is no path into the config, or leads through what is no mapping.",
    "matrix-size": "The matrix makes no runs, or more than its cap.",
    # References
    "repeated-name": "Two documents declare the same address.",
    "dangling-reference": "No document of that kind and name exists.",
    "ambiguous-reference": "More than one document answers to the name.",
    # Workspace and files
    "no-workspace": "No reconciler.yaml was found here or in any folder above.",
    "no-manifests": "The workspace's folders hold no manifests, or the path selects none.",
    "file-missing": "The file or folder does not exist or can't be read.",
    "file-outside": "The path leaves the workspace, directly or through a symbolic link, "
    "or leads to what is hidden there.",
    "file-name": "The file's name is not UTF-8, or holds control characters or line breaks.",
    "file-format": "The file's format isn't one that rows can be read from.",
    # Data rows and memberships
    "wrong-column": "The file has no column of that name.",
    "row-invalid": "A line of the file can't be read as a row, or names it unfitly.",
    "row-twice": "The same data row is named twice in one membership.",
    "label-twice": "The same label is named twice.",
    "row-in-two-splits": "The same data row is put into two splits.",
    "row-not-member": "A split names a data row that the membership doesn't have.",
    "unknown-split": "The split is not TRAINING, VALIDATION, TEST or UNASSIGNED.",
    "split-weights": "The weights of a hash split must sum to exactly 100.",
    "split-position": "The positions are not a slice like [:100] or [100:150].",
    "split-group": "The group that a hash split needs is empty for this row.",
    "selects-nothing": "A file, column or selection yields no rows at all.",
    "key-length": "A global key is longer than 200 characters, or empty.",
    "key-spaces": "A global key has leading, trailing or doubled white space.",
    # Annotations and metrics
    "annotation-invalid": "A line is no annotation or metric that the ontology, the kind "
    "of data and the limits of imports allow.",
    "row-not-in-run": "A line is for a data row that the run, or the project's dataset, "
    "doesn't have.",
    "wrong-row-name": "A line names its data row by id where global keys are wanted, or "
    "the other way round.",
    "uuid-twice": "Two annotations of one data row have the same uuid; one would replace "
    "the other.",
    "answered-twice": "A classification of a whole data row, or of one of its messages, "
    "has two answers there.",
    "metric-twice": "The same metric (name, feature and subclass) is given twice for one "
    "data row.",
    "metric-aggregation": "One metric name has several aggregations within a run.",
    "too-many-metrics": "A data row has more metrics than the API takes.",
    # Locks
    "lock-missing": "A live selection, or the labels of a project, must be locked before "
    "they are planned.",
    "lock-outdated": "The lock was made for another selection, other splits or another "
    "project than the manifest has.",
    "lock-edited": "The lock isn't as `reconciler lock` made it: it was edited, cut or "
    "merged.",
    "lock-shared": "Two documents name the same lock, and want different things locked.",
    "row-without-key": "A data row has no global key that a lock or a bundle could name it by.",
    "several-labels": "A data row has several labels, and none of them is the benchmark.",
    "digest-missing": "The rows of a large lock are in a file that nobody can review, so "
    "the manifest must say their digest.",
    "digest-differs": "The rows are not those that the manifest's digest names.",
    "frozen-changed": "The rows are frozen, and are not those that were frozen.",
    # Honesty of data
    "content-across-splits": "The same content is in two splits of a membership.",
    "group-across-splits": "Rows that belong together are in two splits of a membership.",
    "frozen-trained-on": "A run trains on rows that a frozen membership examines a run of "
    "the same model with.",
    "group-unknown": "No row of the membership has a group that is known here, so nothing "
    "was checked.",
    "waiver-expired": "What was accepted for a while isn't any more.",
    "waiver-unused": "Nothing is found that the waiver would accept.",
    # What only the remote can tell
    "unknown-global-keys": "The remote knows no data rows by these global keys.",
    "row-in-other-dataset": "A global key is already used by a row of another dataset.",
    "ambiguous-name": "Several objects on the remote have the name; pin one with `id:`.",
    "not-found": "An object that the manifests only refer to does not exist.",
    "wrong-id": "The object pinned by `id:` does not exist, or has another name.",
    # What the remote answers, whatever it was asked
    "remote-error": "The remote reports an error of no kind of its own.",
    "unauthorized": "The key is missing, wrong, expired, or not allowed to do this.",
    "rate-limited": "There were too many requests, also after waiting.",
    "unavailable": "The remote can't be reached, or answers with server errors only.",
    "malformed": "An answer is not what the API promises.",
    "incomplete": "What was read can't be shown to be whole, so nothing follows from it.",
    "lines-refused": "An import ended, and the remote refused some of its lines.",
    "stale": "Something is no longer as the plan saw it.",
    "in-doubt": "It can't be told whether a change was made; apply again.",
    "refused": "The remote refuses the request, for the reason that it gives.",
    "task-failed": "A task of the remote came to nothing, for the reason that it gives.",
    # Bundles and adoption
    "export-unreadable": "An annotation of an export can't be said as a line of an import.",
    "not-declarable": "What exists has what no manifest can say, such as an unfit name.",
    "among-manifests": "A bundle would be read as part of the workspace that it lies in.",
    "bundle-damaged": "The folder has no bundle.json, or one that can't be read.",
    "file-exists": "There is something in the place where files are to be written.",
    # This machine
    "setting": "A variable of the environment has a value that can't be used.",
    "apply-running": "Another apply of the same workspace on the same remote runs.",
    "file-system": "A file or folder of the tool's own can't be read or written.",
    # Plan files and the ledger
    "inventory-damaged": "A line of the inventory under .reconciler/ can't be read.",
    "plan-file": "The file is not a saved plan of a version this tool reads, or was edited.",
}
"""Every code a diagnostic may carry, with what it means."""
