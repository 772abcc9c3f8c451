"""Where a fleet's hosts are: ``slurm:PARTITION[:CONSTRAINT]``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fleet.jobs import Node

_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_SLURM: Final = re.compile(rf"slurm:(?P<partition>{_NAME})(:(?P<constraint>[^:]+))?")
_FEATURES: Final = re.compile(rf"{_NAME}([&|]{_NAME})*")
_HINT: Final = "such as slurm:gpu, slurm:gpu:a100 or slurm:gpu:'a100&nvlink'"


@dataclass(frozen=True)
class SlurmTarget:
    """A partition of a Slurm cluster, and the features that its nodes must have."""

    text: str
    partition: str
    constraint: str = ""
    """Features joined by ``&`` (all of them) or ``|`` (one of them); empty: every node."""

    def matches(self, node: Node) -> bool:
        """Return whether a node has the features."""
        if not self.constraint:
            return True
        return any(node.features.issuperset(one.split("&")) for one in self.constraint.split("|"))

    def select(self, nodes: Mapping[str, Node], only: tuple[str, ...] = ()) -> list[Node]:
        """Return the nodes to check, in order of their names.

        ``only`` names some of them. Raises ``FleetError`` when none is left, or one is unknown.
        """
        unknown = [name for name in only if name not in nodes]
        if unknown:
            raise FleetError(
                f"the partition {self.partition} has no node {unknown[0]!r}",
                expected=", ".join(list(nodes)[:8]),
            )
        found = [
            node
            for name, node in sorted(nodes.items(), key=lambda one: _natural(one[0]))
            if self.matches(node) and (not only or name in only)
        ]
        if not found:
            features = sorted({one for node in nodes.values() for one in node.features})
            raise FleetError(
                f"no node of {self.partition} has the features {self.constraint!r}",
                expected=f"features such as {', '.join(features[:8])}" if features else None,
                hint="`sinfo -o '%N %f'` lists them",
            )
        return found


def parse_target(text: str) -> SlurmTarget:
    """Return the target that ``--on`` names. Raises ``FleetError``."""
    found = _SLURM.fullmatch(text)
    constraint = (found and found["constraint"]) or ""
    if found is None or (constraint and _FEATURES.fullmatch(constraint) is None):
        raise FleetError(
            f"--on does not take {text!r}",
            expected="slurm:PARTITION[:CONSTRAINT], contexts[:NAME,…] or a file of hosts",
            hint=_HINT,
        )
    return SlurmTarget(text, found["partition"], constraint)


def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key that puts ``n2`` before ``n10``."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
