"""What a project or run is sent, of all families that are declared."""

from reconciler.plan.changes import UploadsChange
from reconciler.plan.diffing.given import Given
from reconciler.plan.uploads import Destination, compare_uploads
from reconciler.state.address import Address


def diff_uploads(
    address: Address, to: Destination, given: Given
) -> tuple[UploadsChange, ...]:
    """Compare what an object should be sent with what it was sent before."""
    inventory = given.inventory
    return tuple(
        compare_uploads(
            wanted,
            to=to,
            recorded=inventory.uploads.get((address, wanted.family), {}),
            lineage=inventory.lineage,
        )
        for wanted in given.uploads.get(address, ())
    )
