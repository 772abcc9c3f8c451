"""``freeze sign ARCHIVE`` and ``freeze verify ARCHIVE``: the inventories of an archive, signed.

An inventory has the SHA-256 of every file of its environment, so that its signature covers them.
``freeze archive verify`` reads the files themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError, Where
from freezer.fetch.archive_storage.folder import FolderStorage
from freezer.flows.governance.attest import LARGEST, lapse_of
from freezer.flows.governance.key_files import read_bounded, read_keys, read_signer, write_file
from freezer.governance.archive.inventory import INVENTORY
from freezer.governance.archive.inventory import LARGEST as LARGEST_INVENTORY
from freezer.governance.archive.ocfl import ROOT_MARK, open_root
from freezer.governance.attest.files import sign_files, verify_files
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from freezer.flows.governance.key_files import Password
    from freezer.governance.attest.keys import PublicKey

SIGNATURE: Final = "inventories.sigstore.json"
"""In the archive's folder; OCFL allows other files there."""


@dataclass(frozen=True)
class ArchiveSigned:
    """An archive whose inventories were signed."""

    root: Path
    path: Path
    environments: tuple[str, ...]


@dataclass(frozen=True)
class ArchiveVerified:
    """Whether the inventories of an archive are signed as they are."""

    root: Path
    environments: int
    signers: tuple[PublicKey, ...]
    problems: tuple[str, ...]
    """A sentence for each reason why the signature does not count."""


def is_archive(path: Path) -> bool:
    """Return whether a path is a folder that ``freeze archive create`` made."""
    return (path / ROOT_MARK[0]).is_file()


def sign_archive(root: Path, key: Path, password: Password) -> ArchiveSigned:
    """Sign the inventories of an archive as they are now. Replaces an earlier signature.

    Raises ``HostError`` for what is no archive or an empty one, ``SpecError`` for a key.
    """
    open_root(FolderStorage(root), make=False)
    digests = _digests(root)
    if not digests:
        raise HostError("this archive holds nothing to sign", where=Where(str(root)))
    signer = read_signer(key, password)
    path = root / SIGNATURE
    write_file(path, sign_files(digests, signer))
    return ArchiveSigned(root, path, tuple(FolderStorage(root).objects()))


def verify_archive_signature(
    root: Path, keys: Sequence[Path], file: Path | None = None, *, at: datetime | None = None
) -> ArchiveVerified:
    """Compare the inventories of an archive with those that were signed, by public keys.

    Raises ``HostError`` for what is no archive, ``IntegrityError`` for what is no statement.
    """
    open_root(FolderStorage(root), make=False)
    loaded = read_keys(keys)
    digests = _digests(root)
    path = file or root / SIGNATURE
    if file is None and not path.is_file():
        return ArchiveVerified(root, len(digests), (), ("this archive is not signed",))
    signed, signers, problem = verify_files(read_bounded(path, LARGEST), loaded, str(path))
    problem = problem or lapse_of(signers, at)
    problems = (problem,) if problem else tuple(_differences(signed, digests))
    valid = tuple(one for one in signers if lapse_of([one], at) is None)
    return ArchiveVerified(root, len(digests), () if problems else valid, problems)


def _digests(root: Path) -> dict[str, str]:
    return {
        f"{name}/{INVENTORY}": digest(read_bounded(root / name / INVENTORY, LARGEST_INVENTORY))
        for name in FolderStorage(root).objects()
    }


def _differences(signed: dict[str, str], digests: dict[str, str]) -> list[str]:
    found = [f"{name} is gone since it was signed" for name in sorted(signed.keys() - digests)]
    found += [f"{name} is not signed" for name in sorted(digests.keys() - signed)]
    return found + [
        f"{name} is not the one that was signed"
        for name in sorted(signed.keys() & digests)
        if signed[name] != digests[name]
    ]
