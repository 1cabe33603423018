"""Which global keys the organisation has data rows for.

The API answers with ids in an order that nothing promises, so they are never
paired with the keys; only what it says of the keys themselves is used.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from reconciler.api import documents
from reconciler.ports import Malformed
from reconciler.remote.batches import batched, halving
from reconciler.remote.row_payloads import KeysData, KeysFound, KeysResultData
from reconciler.remote.session import Session, in_parallel
from reconciler.remote.tasks import Progress, progress_of, wait
from reconciler.state.resources import GlobalKey


@dataclass(frozen=True, slots=True)
class Lookup:
    """The keys that can't be used, and why.

    Attributes:
        missing: No data row has them.
        denied: A data row has them that this key may not see.
    """

    missing: frozenset[GlobalKey]
    denied: frozenset[GlobalKey]


def look_up(session: Session, keys: Iterable[GlobalKey]) -> Lookup:
    """Ask about keys, in sorted batches and several at a time."""
    batches = batched(sorted(set(keys)), session.bounds.batch)
    answers = [
        found
        for parts in in_parallel(
            [partial(halving, batch, partial(_ask, session)) for batch in batches]
        )
        for found in parts
    ]
    return Lookup(
        missing=frozenset(
            GlobalKey(key)
            for found in answers
            for key in found.not_found_global_keys or ()
        ),
        denied=frozenset(
            GlobalKey(key)
            for found in answers
            for key in found.access_denied_global_keys or ()
        ),
    )


def _ask(session: Session, keys: Sequence[GlobalKey]) -> KeysFound:
    client = session.client
    job = client.execute(
        documents.KEYS, KeysData, globalKeys=keys
    ).data_rows_for_global_keys.job_id
    found: list[KeysFound] = []

    def check() -> Progress:
        result = client.execute(
            documents.KEYS_RESULT, KeysResultData, jobId=job
        ).data_rows_for_global_keys_result
        progress = progress_of(result.job_status, None, documents.KEYS.root)
        if progress is Progress.COMPLETE and result.data is not None:
            found.append(result.data)
        return progress

    wait(
        check,
        operation=documents.KEYS.root,
        timing=client.timing,
        timeout=session.bounds.task_timeout,
    )
    if not found:
        raise Malformed("a finished lookup has no data", operation=documents.KEYS.root)
    return found[-1]
