"""Everything here holds against a usual twin and against the strictest."""

import pytest

from reconciler.server.settings import STRICT, ServerSettings


@pytest.fixture(
    autouse=True, params=[ServerSettings(), STRICT], ids=["usual", "strict"]
)
def _usual(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.twins.USUAL", request.param)
