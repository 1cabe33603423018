"""A key that isn't let in, and a server that isn't there."""

import json
from pathlib import Path

import pytest
from lbox.exceptions import (  # type: ignore[import-untyped]  # publishes no types
    AuthenticationError,
)

from tests.sdk.site import as_a_user, served
from tests.support.workspaces import make_workspace

WRONG = "a-key-nobody-gave-out"


def test_a_wrong_key_is_refused_in_a_sentence_that_doesnt_show_it(
    tmp_path: Path,
) -> None:
    workspace = str(make_workspace(tmp_path / "workspace", remote="labelbox"))
    with served(tmp_path / "home") as site:
        with pytest.raises(AuthenticationError, match="Invalid API key"):
            site.sdk(WRONG).get_organization()
        text = as_a_user("plan", workspace, **site.variables(WRONG))
        data = as_a_user("plan", workspace, "-o", "json", **site.variables(WRONG))

    assert (text.code, data.code) == (1, 1)
    assert "Error: organization: Invalid API key [unauthorized]\n" in text.err
    (problem,) = json.loads(data.out)["errors"]
    assert problem["code"] == "unauthorized"
    assert "Invalid API key" in problem["message"]
    for ended in (text, data):
        assert WRONG not in ended.out + ended.err
        assert "Traceback" not in ended.err


def test_a_server_that_is_gone_is_named_in_a_sentence(tmp_path: Path) -> None:
    workspace = str(make_workspace(tmp_path / "workspace", remote="labelbox"))
    with served(tmp_path / "home") as site:
        first = as_a_user("apply", workspace, "--auto-approve", **site.variables())
    assert first.code == 0

    ended = as_a_user("plan", workspace, **site.variables())

    host = site.url.removeprefix("http://")
    assert ended.code == 1
    assert ended.out == ""
    assert f"Error: organization: {host} can't be reached" in ended.err
    assert "Traceback" not in ended.err
