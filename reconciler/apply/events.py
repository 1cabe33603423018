"""What happens while a plan is carried out, and how each step ends."""

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.plan.steps import Step
from reconciler.state.address import Address, RemoteId


@dataclass(frozen=True, slots=True)
class Done:
    """The step was carried out; with the id of what it created or found."""

    id: RemoteId | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The remote refused or failed; its words."""

    reason: str
    hint: str | None = None
    stale: bool = False


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
