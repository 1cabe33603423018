"""What the workflows are allowed to do."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parent.parent / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))


def load(file: Path) -> dict[Any, Any]:
    document = yaml.safe_load(file.read_text())
    assert isinstance(document, dict)
    return document


def test_there_are_workflows() -> None:
    assert [file.name for file in FILES] == ["apply.yml", "ci.yml", "preview.yml"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_workflow_may_write_or_run_a_strangers_code_with_secrets(file: Path) -> None:
    workflow = load(file)

    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in file.read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_action_is_pinned_and_no_credentials_are_kept(file: Path) -> None:
    text = file.read_text()

    uses = re.findall(r"uses: (\S+)", text)
    assert uses
    assert [
        one for one in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", one)
    ] == []
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_the_preview_has_no_secret() -> None:
    assert "secrets." not in (FOLDER / "preview.yml").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_that_others_wrote_is_pasted_into_a_script(file: Path) -> None:
    for job in load(file)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")
