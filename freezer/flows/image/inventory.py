"""``freeze inventory``: the numeric libraries in an environment's image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import CheckError
from freezer.flows.image.build import verified_image
from freezer.flows.image.current_lock import load_current_lock
from freezer.flows.image.inventory_cache import keep_inventory

if TYPE_CHECKING:
    from freezer.flows.image.inventory_cache import InventoryResult
    from freezer.flows.project.project import Project


def inventory(project: Project, name: str | None) -> InventoryResult:
    """Return the inventory of an environment's verified image, and store it with the lock.

    Raises ``CheckError`` when the image is not built or cannot be inspected, ``VerificationError``
    when it uses other libraries than locked.
    """
    locked = load_current_lock(project, name)
    image = verified_image(project, locked)
    if image is None:
        raise CheckError(
            f"the engine has no verified image of lock {locked.id[:12]}",
            hint=f"run `freeze build {locked.lock.name}`",
        )
    return keep_inventory(project, locked, image.id)
