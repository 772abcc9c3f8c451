"""The policy as a gate before a lock is written, built or gone back to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freezer.flows.project.project import Command, Project
    from freezer.model.lock import Lock

_FILE = "policy.yaml"


def policy_gate(project: Project, command: Command, lock: Lock, lock_id: str) -> None:
    """Warn of what breaks the project's policy. Raises ``PolicyError`` where it is enforced."""
    if (project.root / _FILE).exists():
        from freezer.flows.governance.policy import require_policy

        require_policy(project, command, lock, lock_id)
