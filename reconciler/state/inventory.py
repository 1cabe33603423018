"""What a workspace owns: addresses with ids, and hashes of uploaded data rows.

The inventory is no state file. The truth is read from the remote at every
plan; this only says what was brought about from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.state.address import Address, RemoteId
from reconciler.state.resources import GlobalKey
from reconciler.state.uploads import Family, Slot, Uploaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Ownership as it was last written down.

    Attributes:
        owned: Ids of the objects created or adopted from this workspace.
        fingerprints: For each dataset, the fingerprint every data row had when
            it was uploaded from here.
        uploads: For each run or project, what was last sent of each slot.
        lineage: Tells the jobs that are named now from all that were named
            before, also by an inventory that was lost, or put back to what it
            was: random text, of this session alone.
    """

    owned: Mapping[Address, RemoteId] = field(default_factory=dict)
    fingerprints: Mapping[Address, Mapping[GlobalKey, str]] = field(
        default_factory=dict
    )
    uploads: Mapping[tuple[Address, Family], Mapping[Slot, Uploaded]] = field(
        default_factory=dict
    )
    lineage: str = ""
