"""``freeze archive prune``: old versions go, unless a generation or a run needs them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freezer.errors import HostError, SpecError, Where
from freezer.fetch.archive_storage.location import open_storage
from freezer.flows.governance.archive.versions import manifest_of
from freezer.flows.project.environment import read_lock
from freezer.flows.runs.ledger import project_ledger
from freezer.governance.archive.ocfl import current_objects, object_of, open_root, read_object
from freezer.governance.archive.retention import Decision, Retention, VersionFacts, decide
from freezer.governance.archive.rewrite import rewrite
from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fetch.archive_storage.interface import Storage
    from freezer.flows.project.project import Project
    from freezer.governance.archive.inventory import Inventory


@dataclass(frozen=True)
class EnvironmentPruned:
    """What was decided of one environment."""

    environment: str
    versions: tuple[Decision, ...]
    blocked: str | None
    """Why nothing was removed although versions may go; None where nothing stands against it."""


@dataclass(frozen=True)
class Pruned:
    """What a prune did, or would do."""

    archive: str
    dry_run: bool
    environments: tuple[EnvironmentPruned, ...]
    skipped: tuple[str, ...]
    """Environments that the project does not have and that were not named: nothing is removed."""


def prune_archive(
    project: Project, place: str, name: str | None, rule: Retention, *, dry_run: bool
) -> Pruned:
    """Remove old versions of an environment, or of all that the project has.

    What the project's current lock, a run of its ledger, or a run in a version that stays needs is
    kept. Raises ``SpecError`` without a rule, ``HostError`` for an environment that is not there.
    """
    rule = _rule(project, rule)
    storage = open_storage(place, project.config)
    open_root(storage, make=False)
    with storage.exclusive():
        current = current_objects(storage)
        if name is not None and name not in current:
            raise HostError(
                f"the archive has no {name}", where=Where(storage.address),
                found=f"it has {', '.join(current) or 'nothing'}",
            )  # fmt: skip
        known = {one: _in_force(project, one) for one in current}
        chosen = [
            one for one in current if name in (None, one) and (name or known[one] is not None)
        ]
        done = []
        for environment in chosen:
            if not dry_run:
                _remove_remains(storage, environment, current[environment])
            needed = known[environment] or {}
            done.append(
                _prune(project, storage, current[environment], rule, needed, dry_run=dry_run)
            )
    skipped = () if name else tuple(one for one in current if one not in chosen)
    return Pruned(storage.address, dry_run, tuple(done), skipped)


def _rule(project: Project, rule: Retention) -> Retention:
    """Return the rule that was given, or else that of the policy."""
    if rule.last is None and rule.days is None:
        from freezer.flows.governance.policy import load_policy

        policy = load_policy(project)
        stated = policy.retention if policy is not None else None
        if stated is not None:
            return Retention(stated.keep_last, stated.keep_days)
        raise SpecError(
            "nothing says which versions to keep", expected="--keep-last N or --keep-days D",
            hint="or set `retention` in policy.yaml: docs/how-to/archive.md",
        )  # fmt: skip
    return rule


def _prune(
    project: Project, storage: Storage, name: str, rule: Retention, needed: Mapping[str, str],
    *, dry_run: bool,
) -> EnvironmentPruned:  # fmt: skip
    environment = (object_of(name) or (name, 1))[0]
    inventory = read_object(storage, name)
    if inventory is None:
        return EnvironmentPruned(environment, (), "its inventory is gone")
    facts = [_facts(storage, inventory, n) for n in range(1, len(inventory.versions) + 1)]
    decisions = decide(facts, rule, datetime.now(UTC), needed)
    keep = {one.number for one in decisions if one.reason is not None}
    if len(keep) == len(decisions):
        return EnvironmentPruned(environment, decisions, None)
    until = storage.retained(name)
    blocked = f"the storage retains it until {until}" if until else None
    if blocked is None and not dry_run:
        with project.report.task(f"Pruning {environment}", unit="bytes") as task:
            rewrite(storage, inventory, keep, task.advance)
    return EnvironmentPruned(environment, decisions, blocked)


def _facts(storage: Storage, inventory: Inventory, number: int) -> VersionFacts:
    one = inventory.versions[number - 1]
    manifest = manifest_of(storage, inventory.id, inventory, number)
    if manifest is not None:
        return VersionFacts(number, _time(one.created), manifest.lock_id, manifest.runs)
    word, _, lock_id = one.message.partition(" ")
    return VersionFacts(number, _time(one.created), lock_id if word == "lock" else None, {})


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _in_force(project: Project, environment: str) -> dict[str, str] | None:
    """Return the locks that the project needs, each with the reason; None: it has no such lock."""
    locked = read_lock(project.root, environment)
    if locked is None:
        return None
    needed = {locked.id: "the project's current lock"}
    with project_ledger(project, reading=True) as ledger:
        from freezer.ledger import query

        for run in query.find(ledger, None, limit=None):
            lock = run.fields.get("lock")
            if run.environment == environment and isinstance(lock, Digest):
                needed.setdefault(lock.text.removeprefix("sha256:"), f"run {run.id} needs its lock")
    return needed


def _remove_remains(storage: Storage, environment: str, current: str) -> None:
    """Remove the objects that a prune which was cut off left: the old one, or an unfinished one."""
    others = [one for one in storage.objects() if (object_of(one) or ("",))[0] == environment]
    remains = [one for one in others if one != current]
    if remains:
        from freezer.governance.archive.fixity import verify_object

        findings = verify_object(storage, current)
        if findings:
            raise HostError(
                f"{current} is damaged, so nothing that a prune left is removed",
                where=Where(storage.address), details=findings[:10],
            )  # fmt: skip
        for one in remains:
            storage.remove(one)
