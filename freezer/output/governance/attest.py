"""What ``freeze sign`` and ``freeze verify`` print."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

from freezer.flows.attest.archive import ArchiveSigned, ArchiveVerified
from freezer.flows.attest.image import ImageSigned, ImageVerified
from freezer.flows.attest.report import ReportSigned, ReportVerified
from freezer.flows.governance.attest import AttestationVerified, Signed
from freezer.model.lockfile import short_id
from freezer.output.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from freezer.flows.attest.image import ImageStatement
    from freezer.governance.attest.keys import PublicKey

    AnySigned = Signed | ImageSigned | ReportSigned | ArchiveSigned
    AnyVerified = AttestationVerified | ImageVerified | ReportVerified | ArchiveVerified


def show_signed(done: AnySigned, console: Console) -> None:
    """Print what was signed, and where the signature is."""
    _print(_signed_lines(done), console)


def signed_document(done: AnySigned) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return _signed_facts(done)


def show_verified(done: AnyVerified, console: Console) -> None:
    """Print who signed, or why the signature does not count."""
    _print(_verified_lines(done), console)


def verified_document(done: AnyVerified) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return _verified_facts(done)


def is_good(done: AnyVerified) -> bool:
    """Return whether one of the given keys signed it as it is."""
    return bool(_verified_facts(done)["good"])


@singledispatch
def _signed_lines(done: Any) -> list[str]:
    raise TypeError(type(done))


@_signed_lines.register
def _(done: Signed) -> list[str]:
    what = f"lock {short_id(done.locked.id)}"
    if done.image is not None:
        what += f" and image {done.image[7:19]}"
    lines = [f"{done.locked.lock.name}: provenance of {what} signed: {done.path}"]
    if done.image is None:
        lines.append("  no image is on record: build and check first, to sign it as well")
    return lines


@_signed_lines.register
def _(done: ImageSigned) -> list[str]:
    return [f"{done.name}: {'signed' if done.fresh else 'this key signed it already'}"]


@_signed_lines.register
def _(done: ReportSigned) -> list[str]:
    one = done.report
    what = f"{one.verdict} on {one.class_}, {one.date[:10]}, lock {one.lock_id[:12]}"
    lines = [f"{one.environment}: {what}, signed: {done.path}"]
    return [*lines, f"  kept for `freeze push`: {done.kept}"] if done.kept else lines


@_signed_lines.register
def _(done: ArchiveSigned) -> list[str]:
    return [f"inventories of {plural(len(done.environments), 'environment')} signed: {done.path}"]


@singledispatch
def _signed_facts(done: Any) -> dict[str, Any]:
    raise TypeError(type(done))


@_signed_facts.register
def _(done: Signed) -> dict[str, Any]:
    return {
        "kind": "environment",
        "environment": done.locked.lock.name,
        "lock-id": done.locked.id,
        "image": done.image,
        "rebuilt": done.rebuilt,
        "file": str(done.path),
    }


@_signed_facts.register
def _(done: ImageSigned) -> dict[str, Any]:
    return {"kind": "image", "name": done.name, "key": done.fingerprint, "changed": done.fresh}


@_signed_facts.register
def _(done: ReportSigned) -> dict[str, Any]:
    return {**_report(done), "file": str(done.path), "kept": str(done.kept or "") or None}


@_signed_facts.register
def _(done: ArchiveSigned) -> dict[str, Any]:
    return {
        "kind": "archive",
        "folder": str(done.root),
        "environments": list(done.environments),
        "file": str(done.path),
    }


@singledispatch
def _verified_lines(done: Any) -> list[str]:
    raise TypeError(type(done))


@_verified_lines.register
def _(done: AttestationVerified) -> list[str]:
    name = f"{done.locked.lock.name} ({short_id(done.locked.id)})"
    if done.problem is not None:
        return [f"{name}: {done.problem}: {done.path}"]
    about = f"image {done.image[7:19]}" if done.image else "no image: the lock alone"
    return [f"{name}: signed by {_by(done.signers)}, with {about}"]


@_verified_lines.register
def _(done: ImageVerified) -> list[str]:
    if done.good:
        head = f"signed by {_by(done.signers)}"
    else:
        head = "not signed" if not done.statements else "none of the given keys signed it"
    return [f"{done.name}: {head}", *(f"  {_line(one)}" for one in done.statements)]


@_verified_lines.register
def _(done: ReportVerified) -> list[str]:
    one = done.report
    what = f"{one.environment} ({one.lock_id[:12]})"
    if done.problem is not None:
        return [f"{what}: {done.problem}: {done.path}"]
    return [
        f"{what}: {one.verdict} on {one.class_}, {one.date[:10]}: signed by {_by(done.signers)}"
    ]


@_verified_lines.register
def _(done: ArchiveVerified) -> list[str]:
    if done.problems:
        return [f"{done.root}: the signature does not count", *(f"  {p}" for p in done.problems)]
    return [
        f"{done.root}: inventories of {plural(done.environments, 'environment')}, signed by "
        + _by(done.signers),
        "  `freeze archive verify` reads the files that they list",
    ]


@singledispatch
def _verified_facts(done: Any) -> dict[str, Any]:
    raise TypeError(type(done))


@_verified_facts.register
def _(done: AttestationVerified) -> dict[str, Any]:
    return {
        "kind": "environment",
        "environment": done.locked.lock.name,
        "lock-id": done.locked.id,
        "image": done.image,
        "good": done.problem is None,
        "problem": done.problem,
        "file": str(done.path),
        "keys": _keys(done.signers),
    }


@_verified_facts.register
def _(done: ImageVerified) -> dict[str, Any]:
    return {
        "kind": "image",
        "name": done.name,
        "good": done.good,
        "keys": _keys(done.signers),
        "statements": [
            {
                "artifact": one.artifact,
                "type": one.predicate_type,
                "summary": one.summary,
                "good": one.problem is None,
                "problem": one.problem,
                "keys": _keys(one.signers),
            }
            for one in done.statements
        ],
    }


@_verified_facts.register
def _(done: ReportVerified) -> dict[str, Any]:
    return {
        **_report(done),
        "good": done.problem is None,
        "problem": done.problem,
        "file": str(done.path),
        "keys": _keys(done.signers),
    }


@_verified_facts.register
def _(done: ArchiveVerified) -> dict[str, Any]:
    return {
        "kind": "archive",
        "folder": str(done.root),
        "environments": done.environments,
        "good": not done.problems,
        "problems": list(done.problems),
        "keys": _keys(done.signers),
    }


def _report(done: ReportSigned | ReportVerified) -> dict[str, Any]:
    one = done.report
    return {
        "kind": "report",
        "environment": one.environment,
        "lock-id": one.lock_id,
        "image": f"sha256:{one.image}",
        "class": one.class_,
        "date": one.date,
        "verdict": one.verdict,
    }


def _line(one: ImageStatement) -> str:
    said = one.problem or f"signed by {_by(one.signers)}"
    return f"{one.artifact[7:19]}: {said}: {one.summary}"


def _by(keys: Sequence[PublicKey]) -> str:
    return ", ".join(key.file for key in keys)


def _keys(keys: Sequence[PublicKey]) -> list[dict[str, str]]:
    return [{"file": key.file, "id": key.fingerprint} for key in keys]


def _print(lines: Sequence[str], console: Console) -> None:
    for line in lines:
        console.print(printable(line), highlight=False, soft_wrap=True, markup=False)
