"""``freeze sign REPORT`` and ``freeze verify REPORT``: a check's result as an attestation.

The signed statement is stored next to the report, as ``REPORT.sigstore.json``. Where the project
has the lock, a copy is stored next to that, and ``freeze push`` attaches it to the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import LockError, SpecError, Where
from freezer.flows.governance.attest import LARGEST, lapse_of
from freezer.flows.governance.key_files import read_bounded, read_keys, read_signer, write_file
from freezer.flows.project.environment import read_lock
from freezer.governance.attest.bundle import sign_statement, verify_statement
from freezer.governance.attest.check_report import check_statement, differs, parse_report
from freezer.governance.attest.statement import parse_statement
from freezer.history.archive import ATTESTATIONS
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from freezer.flows.governance.key_files import Password
    from freezer.flows.project.project import Project
    from freezer.governance.attest.check_report import CheckReport
    from freezer.governance.attest.keys import PublicKey

SUFFIX: Final = ".sigstore.json"
_LARGEST_REPORT: Final = 256 << 20


@dataclass(frozen=True)
class ReportSigned:
    """A report that was signed."""

    report: CheckReport
    path: Path
    """Of the signed statement."""
    kept: Path | None
    """Its copy next to the lock; None where the project does not have that lock."""


@dataclass(frozen=True)
class ReportVerified:
    """Whether a report is signed."""

    report: CheckReport
    path: Path
    signers: tuple[PublicKey, ...]
    problem: str | None
    """Why it does not count; None when it does."""


def sign_report(project: Project, file: Path, key: Path, password: Password) -> ReportSigned:
    """Sign what ``freeze check --json`` printed. Replaces an earlier statement of the same key.

    Raises ``SpecError`` for a file that is no such report, or a key that cannot sign.
    """
    report, sha256 = _read(file)
    signer = read_signer(key, password)
    data = sign_statement(check_statement(report, sha256), signer)
    path, folder = statement_path(file), _lock_folder(project, report)
    write_file(path, data)
    if folder is None:
        return ReportSigned(report, path, None)
    kept = folder / (
        f"{report.lock_id[:12]}.check.{report.class_}.{signer.public.fingerprint[:12]}{SUFFIX}"
    )
    write_file(kept, data)
    return ReportSigned(report, path, kept)


def verify_report(
    file: Path,
    keys: Sequence[Path],
    statement: Path | None = None,
    *,
    at: datetime | None = None,
) -> ReportVerified:
    """Verify the statement about a report, next to it or in a file, by public keys.

    Raises ``SpecError`` for a report or a key, ``IntegrityError`` for what is no statement.
    """
    report, sha256 = _read(file)
    loaded = read_keys(keys)
    path = statement or statement_path(file)
    if statement is None and not path.is_file():
        return ReportVerified(report, path, (), "this report is not signed")
    payload, signers = verify_statement(read_bounded(path, LARGEST), loaded, str(path))
    if not signers:
        return ReportVerified(report, path, (), "none of the given keys signed it")
    stated = parse_statement(payload, str(path))
    problem = lapse_of(signers, at) or differs(stated, report, sha256)
    valid = tuple(one for one in signers if lapse_of([one], at) is None)
    return ReportVerified(report, path, () if problem else valid, problem)


def statement_path(file: Path) -> Path:
    """Return where the signed statement about a file is stored."""
    return file.with_name(f"{file.name}{SUFFIX}")


def _lock_folder(project: Project, report: CheckReport) -> Path | None:
    """Return where statements about a report's lock are kept; None where it is not current."""
    try:
        locked = read_lock(project.root, report.environment)
    except LockError:
        return None
    if locked is None or locked.id != report.lock_id:
        return None
    return locked.folder / ATTESTATIONS


def _read(file: Path) -> tuple[CheckReport, str]:
    data = read_bounded(file, _LARGEST_REPORT)
    try:
        return parse_report(data), digest(data)
    except ValueError as error:
        raise SpecError(
            "this is no report of a check", where=Where(str(file)), found=str(error)[:200],
            expected="what `freeze check --json` printed",
            hint="write one: `freeze check ENV --json > check.json`",
        ) from None  # fmt: skip
