"""A server that reads everything harshly is one that the tool can work with."""

from pathlib import Path

from reconciler.pipeline import planning
from reconciler.server.settings import STRICT
from tests.pipeline.test_pipeline import apply
from tests.support.twins import session_on, twin
from tests.support.workspaces import make_workspace


def test_thousands_of_rows_fit_where_lists_and_pages_are_short(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    splits = ("TRAINING", "VALIDATION", "TEST", "")
    rows = (
        f"n{number},text {number},{splits[number % 4]}" for number in range(1, 2_501)
    )
    (workspace / "specs" / "notes.csv").write_text("\n".join(["key,text,split", *rows]))
    with twin(tmp_path, STRICT) as connect:
        with session_on(connect(), workspace) as session:
            apply(session)
        with session_on(connect(), workspace) as session:
            plan = planning.make_plan(session)

    assert not plan
