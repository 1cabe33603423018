"""The README's lines that point the official SDK at a server."""

import re
from pathlib import Path
from typing import Any

from tests.sdk.site import KEY, served

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_lines_of_the_readme_point_the_sdk_at_a_server(tmp_path: Path) -> None:
    (lines,) = re.findall(
        r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL
    )
    assert len([line for line in lines.splitlines() if line]) == 3

    with served(tmp_path / "home") as site:
        here = lines.replace("http://127.0.0.1:8080", site.url).replace("a-key", KEY)
        found: dict[str, Any] = {}
        exec(here, found)  # as a reader would
        organization = found["client"].get_organization()

    assert organization.name == "Reconciler"
