"""A plan, carried out and written down."""

from collections.abc import Callable, Iterator

from reconciler.apply.events import Event
from reconciler.apply.executor import PARALLELISM, execute
from reconciler.pipeline.sessions import Session
from reconciler.plan.build import Plan


def carry_out(
    session: Session,
    plan: Plan,
    *,
    parallelism: int = PARALLELISM,
    heartbeat: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Do what a plan says, writing down what it brings about as it goes."""
    assert session.writer is not None, "the session was opened to read only"
    session.ledger.adopt(plan)
    events = execute(
        plan.work,
        session.writer,
        ids=plan.ids,
        parallelism=parallelism,
        heartbeat=heartbeat,
        stopped=stopped,
    )
    return session.ledger.record(events, ids=plan.ids)
