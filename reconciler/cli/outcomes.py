"""How an apply ended: its exit code, and its steps for a program."""

from collections.abc import Sequence

from reconciler.apply.events import Done, Failed, Finished, Skipped, Unknown
from reconciler.cli.exits import Exit, worst
from reconciler.plan.steps import CheckRun, size
from reconciler.report.machine import refusal_list
from reconciler.state.canonical import JsonValue


def exit_of(finished: Sequence[Finished], stopped: Exit | None) -> Exit:
    """Find the code that says most of how steps ended.

    Args:
        finished: The steps.
        stopped: What a signal asked for, if one came.
    """
    done = any(map(_did_something, finished))
    codes = [Exit.DONE if stopped is None else stopped]
    for one in finished:
        match one.outcome:
            case Failed(stale=True) if not done:
                codes.append(Exit.STALE)
            case Failed() | Skipped():
                codes.append(Exit.PARTIAL if done else Exit.ERROR)
            case Unknown():
                codes.append(Exit.UNCONVERGED)
            case Done():
                pass
    if Exit.STALE in codes:  # what was skipped after it is no error of its own
        codes = [code for code in codes if code is not Exit.ERROR]
    return worst(*codes)


def _did_something(one: Finished) -> bool:
    match one.outcome:
        case Done() | Unknown():
            return not isinstance(one.step, CheckRun)
        case Failed(refusals=refusals):
            # The lines that weren't refused are there.
            return 0 < len(refusals) < size(one.step)
        case Skipped():
            return False


def step_entry(one: Finished) -> JsonValue:
    """Say how a step ended."""
    done: dict[str, JsonValue] = {
        "address": str(one.step.address),
        "step": type(one.step).__name__,
        "rows": size(one.step),
        "outcome": type(one.outcome).__name__.lower(),
    }
    match one.outcome:
        case Failed(reason=reason, refusals=refusals):
            done["reason"] = reason
            if refusals:
                done["refusals"] = refusal_list(refusals)
        case Unknown(reason=reason):
            done["reason"] = reason
        case Skipped(blocked_by=address):
            done["blocked_by"] = None if address is None else str(address)
        case Done():
            pass
    return done
