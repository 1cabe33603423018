"""What happens while a plan is carried out, and how each step ends."""

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.plan.steps import Step
from reconciler.state.address import Address, RemoteId
from reconciler.state.uploads import LineRefusal


@dataclass(frozen=True, slots=True)
class Done:
    """The step was carried out; with the id of what it created or found."""

    id: RemoteId | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The remote refused or failed; its words.

    Attributes:
        reason: What it said.
        hint: What to try.
        stale: Whether the object is no longer as the plan saw it.
        refusals: The lines of an import that weren't taken; the others were.
        job_failed: Whether a job of the remote is known to have come to nothing.
    """

    reason: str
    hint: str | None = None
    stale: bool = False
    refusals: tuple[LineRefusal, ...] = ()
    job_failed: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not tried: what it needs failed, or the apply was stopped."""

    blocked_by: Address | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell whether the step was carried out; run apply again."""

    reason: str


Outcome: TypeAlias = Done | Failed | Skipped | Unknown


@dataclass(frozen=True, slots=True)
class Started:
    """A step is about to be carried out; not before this event is consumed."""

    step: Step


@dataclass(frozen=True, slots=True)
class Finished:
    """A step has ended, one way or another."""

    step: Step
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing has ended for a while; what is in flight."""

    steps: tuple[Step, ...]


Event: TypeAlias = Started | Finished | Waiting
