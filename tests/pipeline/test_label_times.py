"""Ground truth that is sent again, and when it is said to have changed."""

from pathlib import Path

from reconciler.state.uploads import Family
from tests.support.whole_runs import KEYS, PROJECT, TRUTH, mask, whole_run


def test_labels_change_when_what_they_say_does(tmp_path: Path) -> None:
    with whole_run(tmp_path) as (session, maker):

        def times() -> dict[str | None, str | None]:
            found = session.reader.read_project_labels(maker.ids[PROJECT])
            return {one.row: one.changed for one in found if one.changed}

        before = times()
        maker.send(PROJECT, Family.LABELS, TRUTH)
        again = times()
        maker.send(PROJECT, Family.LABELS, [mask(KEYS[0], 2, 255, 255)])
        after = times()

    assert list(before) == [KEYS[0]]
    assert again == before
    assert after != before
