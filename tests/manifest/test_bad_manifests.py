"""Every folder of cases/bad-manifests, and the diagnostics that it has to give.

A folder is a workspace; its `diagnostics.txt` is what a user reads.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.diagnostics import CATALOGUE, Diagnostic, InputError
from reconciler.manifest.load import find_workspace, load
from reconciler.pipeline.uploading import check_uploads

CASES = Path(__file__).parents[1] / "cases" / "bad-manifests"

ELSEWHERE = {
    # What the remote answers, whatever it was asked.
    "in-doubt",
    "incomplete",
    "malformed",
    "rate-limited",
    "refused",
    "remote-error",
    "lines-refused",
    "stale",
    "task-failed",
    "unauthorized",
    "unavailable",
    # Only the remote can tell these.
    "ambiguous-name",
    "not-found",
    "row-in-other-dataset",
    "unknown-global-keys",
    "wrong-id",
    "several-labels",
    # Only warnings.
    "group-unknown",
    "waiver-unused",
    # Of a large lock, whose rows are in a file that is no text.
    "digest-missing",
    # Found in exports, and where they are written to.
    "bundle-damaged",
    "export-unreadable",
    "among-manifests",
    "file-exists",
    "not-declarable",
    "row-without-key",
    # Found on this machine, in saved plans and in the ledger.
    "apply-running",
    "file-system",
    "setting",
    "inventory-damaged",
    "plan-file",
}


def _lines(diagnostics: Iterator[Diagnostic]) -> Iterator[str]:
    for found in diagnostics:
        yield str(found)
        if found.hint:
            yield f"    hint: {found.hint}"
        for span, word in found.related:
            yield f"    see: {span}: {word}"


def _check(root: Path) -> None:
    workspace = find_workspace(root)
    check_uploads(load(workspace), workspace)


def _diagnose(workspace: Path) -> str:
    with pytest.raises(InputError) as raised:
        _check(workspace)
    text = "\n".join(_lines(iter(raised.value.diagnostics))) + "\n"
    return text.replace(str(workspace), "WORKSPACE")


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_a_bad_workspace_gives_its_diagnostics(case: str, tmp_path: Path) -> None:
    # Copied, so that no workspace lies above.
    workspace = tmp_path / case
    shutil.copytree(CASES / case, workspace)

    assert _diagnose(workspace) == (CASES / case / "diagnostics.txt").read_text()


def test_every_code_that_manifests_can_cause_has_a_case() -> None:
    expected = "".join(path.read_text() for path in CASES.glob("*/diagnostics.txt"))

    missing = {code for code in CATALOGUE if f"[{code}]\n" not in expected}

    assert missing == ELSEWHERE
