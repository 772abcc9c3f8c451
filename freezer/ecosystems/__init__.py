"""The package ecosystems of a lock, each described once: see `freezer.ecosystems.interface`.

A new ecosystem is one file here and its entry in ``ECOSYSTEMS``; how it is resolved is one file in
`freezer.flows.lock`, with an entry in the list there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.ecosystems.base import BaseEcosystem
from freezer.ecosystems.conda import CondaEcosystem
from freezer.ecosystems.debian import DebianEcosystem
from freezer.ecosystems.pip import PipEcosystem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.ecosystems.interface import Ecosystem
    from freezer.model.artifact import Artifact
    from freezer.model.lock import Lock

BASE: Final = BaseEcosystem()
INSTALLED: Final[tuple[Ecosystem, ...]] = (DebianEcosystem(), CondaEcosystem(), PipEcosystem())
"""What is installed on top of the base, in the order in which it is resolved."""
ECOSYSTEMS: Final[tuple[Ecosystem, ...]] = (BASE, *INSTALLED)
"""All of them; each is resolved on top of those before it."""
BY_NAME: Final = {ecosystem.name: ecosystem for ecosystem in ECOSYSTEMS}


def lock_artifacts(lock: Lock) -> Iterator[Artifact]:
    """Yield every artifact of a lock; the layers of a registry's base image are none."""
    for ecosystem in ECOSYSTEMS:
        yield from ecosystem.artifacts(lock)
