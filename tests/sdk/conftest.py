"""No test here may reach anything but this machine."""

from collections.abc import Iterator

import pytest

from tests.sdk.site import environment


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    with environment():
        yield
