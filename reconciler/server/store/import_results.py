"""What is kept of the lines of an import, where they are imported to."""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from sqlalchemy import Connection

from reconciler.annotations.checked import Annotation, Checked, Metric
from reconciler.server.lines import line_of
from reconciler.server.store.annotation_imports import ImportType
from reconciler.server.store.database import Store
from reconciler.server.store.import_facts import Facts
from reconciler.server.store.labels import NewLabel, put_labels
from reconciler.server.store.metrics import put_metrics
from reconciler.server.store.predictions import put_predictions
from reconciler.server.store.prelabels import put_prelabels
from reconciler.server.store.targets import Target


def keep(
    db: Connection,
    store: Store,
    judged: Sequence[Checked],
    *,
    kind: ImportType,
    target: Target,
    facts: Facts,
    line: Callable[[int], bytes],
) -> None:
    """Keep annotations and metrics; of several that are the same, the last.

    Args:
        db: The transaction.
        store: The store.
        judged: What came of the lines; refused ones are left out.
        kind: What they become.
        target: Where they come to.
        facts: What is known of their data rows.
        line: Reads the line at a place among them.
    """
    places = _places(facts, judged)
    if kind is ImportType.LABELS:
        put_labels(db, store, target.pk, list(_labels(places, judged, line)))
        return
    # In the order of the key, which the store takes fastest.
    rows = (
        (row_pk, uuid, line(place).decode())
        for (row_pk, uuid), place in sorted(places.items())
    )
    if kind is ImportType.PREDICTIONS:
        put_predictions(db, target.pk, rows)
        put_metrics(db, target.pk, _metrics(facts, judged))
    else:
        put_prelabels(db, target.pk, rows)


def _places(facts: Facts, judged: Sequence[Checked]) -> dict[tuple[int, str], int]:
    """Say where the last annotation of each uuid in each data row is."""
    places: dict[tuple[int, str], int] = {}
    for place, one in enumerate(judged):
        if isinstance(one, Annotation):
            assert one.uuid, "it was given one"
            places[facts.number(one.row), one.uuid] = place
    return places


def _labels(
    places: dict[tuple[int, str], int],
    judged: Sequence[Checked],
    line: Callable[[int], bytes],
) -> Iterator[NewLabel]:
    for (row_pk, uuid), place in places.items():
        one = judged[place]
        assert isinstance(one, Annotation)
        text = msgspec.json.encode(line_of(line(place), uuid))
        yield NewLabel(row_pk, [text], one.benchmark)


def _metrics(facts: Facts, judged: Sequence[Checked]) -> Iterator[tuple[int, Metric]]:
    return ((facts.number(one.row), one) for one in judged if isinstance(one, Metric))
