"""``freeze log --verify --key``: whether each generation of a lock is signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freezer.errors import FreezerError
from freezer.flows.governance.attest import FileVerified, attestation_paths, verify_any
from freezer.flows.governance.key_files import read_keys
from freezer.flows.governance.policy import load_policy
from freezer.flows.history.generations import history
from freezer.flows.project.environment import LOCKS, read_lock
from freezer.governance.policy.evaluate import with_deviation
from freezer.governance.policy.facts import Violation
from freezer.history.archive import archived
from freezer.model.lockfile import short_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.flows.project.project import Project
    from freezer.governance.attest.keys import PublicKey
    from freezer.governance.policy.model import Policy
    from freezer.history.log import History
    from freezer.model.generation import Generation
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class GenerationVerified:
    """A generation, and who signed it."""

    number: int
    lock_id: str
    signers: tuple[PublicKey, ...]
    problem: str | None
    """Why it has no valid signature; None when it has one."""
    demanded: bool
    """Whether that counts: a signature is there and is not valid, or the policy demands one."""
    excused: str | None = None
    """Who answers for the missing signature, by a deviation in the policy; None: nobody."""

    @property
    def fault(self) -> str | None:
        """Return the problem in a sentence that names the generation; None where none counts."""
        if self.problem is None or not self.demanded or self.excused is not None:
            return None
        return f"generation {self.number} (lock {short_id(self.lock_id)}): {self.problem}"


def verify_generations(
    project: Project, name: str, keys: Sequence[Path], *, at: datetime | None = None
) -> tuple[GenerationVerified, ...]:
    """Verify the signature of every generation of an environment, oldest first.

    A generation without a signature counts where ``policy.yaml`` has the rule ``signed``, and no
    deviation covers it. Raises ``SpecError`` for a key or a policy.
    """
    policy, loaded, past = load_policy(project), read_keys(keys), history(project, name)
    folder = project.root / LOCKS / name
    by_lock: dict[str, FileVerified | None] = {}
    found = []
    for one in past.generations:
        if one.lock_id not in by_lock:
            by_lock[one.lock_id] = _verify(project, folder, past, one, loaded, at)
        found.append(_judged(policy, name, one, by_lock[one.lock_id]))
    return tuple(found)


def _verify(
    project: Project,
    folder: Path,
    past: History,
    one: Generation,
    keys: Sequence[PublicKey],
    at: datetime | None,
) -> FileVerified | None:
    """Return the best of what the statements about a lock come to; None where there is none."""
    paths = attestation_paths(folder, one.lock_id)
    if not paths:
        return None
    images = past.images(one.lock_id)
    image = next(iter(images)) if len(images) == 1 else None
    try:
        lock = _lock(project, folder, one)
        return verify_any(lock, one.lock_id, image, keys, paths, at)[0]
    except FreezerError as error:
        return FileVerified((), f"{error.what}{f' ({error.where})' if error.where else ''}")


def _lock(project: Project, folder: Path, one: Generation) -> Lock:
    locked = read_lock(project.root, folder.name)
    if locked is not None and locked.id == one.lock_id:
        return locked.lock
    return archived(folder, one.lock_id).lock


def _judged(
    policy: Policy | None, name: str, one: Generation, found: FileVerified | None
) -> GenerationVerified:
    demanded = policy is not None and policy.rules.signed is not None
    problem = "it is not signed" if found is None else found.problem
    excused = None
    if policy is not None and problem is not None:
        violation = Violation(
            name, "signed", f"generation {one.number}", problem, "a signature by a given key",
            f"run `freeze sign {name} --generation {one.number} --key FILE`",
        )  # fmt: skip
        covered = with_deviation(policy, violation, datetime.now(UTC).date())
        if covered.deviation is not None and not covered.expired:
            excused = f"{covered.deviation.owner} until {covered.deviation.until}"
    return GenerationVerified(
        one.number,
        one.lock_id,
        found.signers if found is not None and problem is None else (),
        problem,
        demanded or found is not None,
        excused,
    )
