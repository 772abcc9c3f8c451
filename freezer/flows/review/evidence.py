"""``freeze evidence``: what a project has about an environment, for those who review it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from freezer.errors import FreezerError, HostError, LedgerError, Where
from freezer.fetch.store.atomic import disk_errors
from freezer.flows.governance.attest import attestation_paths, make_provenance
from freezer.flows.governance.policy import check_policy
from freezer.flows.governance.sbom import SbomMade, make_sbom, sbom_text
from freezer.flows.history.lock_files import WRITTEN
from freezer.flows.history.log import log, verify
from freezer.flows.project.environment import SPEC_FILE, load_environment
from freezer.flows.runs.folders import has_ledger
from freezer.governance.policy.model import POLICY_FILE
from freezer.history.archive import PLANS
from freezer.history.changelog import CHANGELOG_FILE
from freezer.history.files import read_regular
from freezer.history.log import FOLDER, LOG_FILE
from freezer.history.stored import INVENTORY_FILE, REFERENCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.flows.governance.policy import PolicyResult
    from freezer.flows.history.log import Log, Verified
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.record.run import Run

LARGEST_REPORT: Final = 64 << 20
"""Bytes of a report that is added."""


@dataclass(frozen=True)
class Missing:
    """Something that a reviewer asks for and the project does not have."""

    what: str
    hint: str
    """The command that makes it."""


@dataclass(frozen=True)
class Evidence:
    """What a project has about the current lock of an environment."""

    locked: Locked
    files: Mapping[str, bytes]
    """Copies of files, by path in the folder."""
    log: Log
    verified: Verified
    policy: PolicyResult | None
    image: str | None
    """ID of the image on record."""
    rebuilt: bool | None
    runs: tuple[Run, ...]
    """Of this lock, oldest first."""
    missing: tuple[Missing, ...] = field(default=())


def collect_evidence(project: Project, name: str | None, added: Sequence[Path] = ()) -> Evidence:
    """Return what there is about an environment; contacts no engine and no network.

    ``added`` are reports to copy, such as those of `freeze check --report`. Raises ``LockError``
    without a lock, and ``HostError`` for a report that cannot be read.
    """
    reports = _reports(added)
    made = make_sbom(project, name)
    locked = made.locked
    payload, image, rebuilt = make_provenance(project, locked)
    policy = _policy(project, locked.lock.name)
    runs = _runs(project, locked)
    files = {
        **_lock_files(locked),
        **_spec_files(project, locked.lock.name),
        **_policy_file(project),
        "sbom.cdx.json": sbom_text(project, made.sbom, "cyclonedx").encode(),
        "sbom.spdx.json": sbom_text(project, made.sbom, "spdx").encode(),
        "provenance.json": payload,
        **reports,
    }
    history = log(project, locked.lock.name)
    return Evidence(
        locked=locked,
        files=files,
        log=history,
        verified=verify(project, locked.lock.name),
        policy=policy,
        image=image,
        rebuilt=rebuilt,
        runs=runs,
        missing=tuple(_missing(files, made, policy, image, rebuilt, runs)),
    )


def _lock_files(locked: Locked) -> dict[str, bytes]:
    """Return what is stored next to a lock: exports, history, references, plans, signatures."""
    found = {}
    for name in (*sorted(WRITTEN), INVENTORY_FILE, CHANGELOG_FILE):
        if (data := _regular(locked.folder, name)) is not None:
            found[f"lock/{name}"] = data
    if (data := _regular(locked.folder, f"{FOLDER}/{LOG_FILE}")) is not None:
        found[f"history/{LOG_FILE}"] = data
    for folder in (REFERENCES, PLANS):
        for path in sorted((locked.folder / folder).glob("*")):
            if (data := _regular(locked.folder, f"{folder}/{path.name}")) is not None:
                found[f"{folder}/{path.name}"] = data
    for path in attestation_paths(locked.folder, locked.id):
        found[f"attestations/{path.name}"] = path.read_bytes()
    return found


def _regular(folder: Path, name: str) -> bytes | None:
    try:
        return read_regular(folder, name)
    except OSError:
        return None


def _spec_files(project: Project, name: str) -> dict[str, bytes]:
    """Return the spec and the files that it names; nothing for a lock that came without one."""
    try:
        environment = load_environment(project.root, name)
    except FreezerError:
        return {}
    spec = environment.spec
    named = [*spec.pip.files, *([spec.conda.file] if spec.conda and spec.conda.file else [])]
    found = {}
    for path in (SPEC_FILE, *named):
        if (data := _regular(environment.spec_folder, path)) is not None:
            found[f"spec/{PurePosixPath(path).name}"] = data
    return found


def _policy_file(project: Project) -> dict[str, bytes]:
    data = _regular(project.root, POLICY_FILE)
    return {POLICY_FILE: data} if data is not None else {}


def _policy(project: Project, name: str) -> PolicyResult | None:
    if not (project.root / POLICY_FILE).exists():
        return None
    return check_policy(project, [name])


def _runs(project: Project, locked: Locked) -> tuple[Run, ...]:
    if not has_ledger(project):
        return ()
    from freezer.flows.runs.queries import fields, find  # loads SQLAlchemy

    try:
        if "lock" not in fields(project):
            return ()
        return find(project, f"lock = '{locked.id}'").runs[::-1]
    except LedgerError as error:
        project.report.warn(f"runs are left out: {error.what}")
        return ()


def _reports(paths: Iterable[Path]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in paths:
        name = f"reports/{path.name}"
        if name in found:
            raise HostError("two reports have this name", where=Where(str(path)))
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                raise HostError("this is no file", where=Where(str(path)))
            if path.stat().st_size > LARGEST_REPORT:
                raise HostError(
                    "the report is too large", where=Where(str(path)),
                    expected=f"at most {LARGEST_REPORT >> 20} MiB",
                )  # fmt: skip
            found[name] = path.read_bytes()
        except OSError as error:
            raise HostError(
                "the report cannot be read", where=Where(str(path)), found=error.strerror
            ) from None
    return found


def _missing(
    files: Mapping[str, bytes],
    made: SbomMade,
    policy: PolicyResult | None,
    image: str | None,
    rebuilt: bool | None,
    runs: Sequence[Run],
) -> Iterator[Missing]:
    """Yield what is not there, with the command that makes it."""
    name = made.locked.lock.name
    by_prefix = [
        ("spec/", "the spec", f"put it back: images/{name}/{SPEC_FILE}"),
        ("history/", "the history of the lock", f"run `freeze lock {name}`"),
        ("references/", "recorded results", f"run `freeze check {name}`"),
        (f"lock/{INVENTORY_FILE}", "the inventory of numeric libraries",
         f"run `freeze inventory {name}`"),
        ("attestations/", "a signature of the provenance", f"run `freeze sign {name} --key FILE`"),
    ]  # fmt: skip
    for prefix, what, hint in by_prefix:
        if not any(path.startswith(prefix) for path in files):
            yield Missing(what, hint)
    if image is None:
        yield Missing("an image on record", f"run `freeze build {name}` and `freeze check {name}`")
    if rebuilt is None:
        yield Missing("a rebuild from nothing on this host", f"run `freeze build {name} --verify`")
    if made.unread:
        yield Missing(
            f"the licenses of {len(made.unread)} files", f"run `freeze fetch {name}`, then again"
        )
    if policy is None:
        yield Missing("a policy", "write policy.yaml: docs/how-to/policy.md has a whole example")
    if not runs:
        yield Missing("runs of this lock", f"run `freeze run {name} -- COMMAND`")
    yield from _missing_reports(files, name)


def _missing_reports(files: Mapping[str, bytes], name: str) -> Iterator[Missing]:
    reports = [data for path, data in files.items() if path.startswith("reports/")]
    if not reports:
        yield Missing(
            "the report of a check",
            f"run `freeze check {name} --report check.html`, and give it with --add",
        )
    if not any(_is_audit(data) for data in reports):
        yield Missing(
            "an audit of what is not deterministic",
            f"run `freeze audit {name} --json > audit.json`, and give it with --add",
        )


def _is_audit(data: bytes) -> bool:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"effects", "accepted"} <= found.keys()


def require_free(target: Path) -> None:
    """Raise ``HostError`` for a folder that holds anything, before the work that goes into it."""
    if target.resolve() == Path.cwd().resolve():
        raise HostError(
            "this is the current folder", where=Where(str(target)), expected="a new folder's name"
        )
    if target.is_dir() and not any(target.iterdir()):
        return
    if target.exists() or target.is_symlink():
        raise HostError(
            "there is something here already", where=Where(str(target)),
            expected="a new or an empty folder",
        )  # fmt: skip
    if not target.parent.is_dir():
        raise HostError(
            f"there is no folder {target.parent}", where=Where(str(target)), hint="make it first"
        )


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a new or empty folder, all of them or none. Raises ``HostError``."""
    require_free(target)
    target = target.resolve()
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    with disk_errors(target.parent):
        try:
            for path, data in files.items():
                file = partial / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
            os.replace(partial, target)  # noqa: PTH105 - also over an empty folder
        finally:
            shutil.rmtree(partial, ignore_errors=True)
