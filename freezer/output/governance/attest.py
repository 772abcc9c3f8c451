"""What ``freeze sign`` and ``freeze verify`` print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.model.lockfile import short_id

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.governance.attest import AttestationVerified, Signed


def show_signed(done: Signed, console: Console) -> None:
    """Print what was signed, and where it is."""
    what = f"lock {short_id(done.locked.id)}"
    if done.image is not None:
        what += f" and image {done.image[7:19]}"
    console.print(
        f"{done.locked.lock.name}: provenance of {what} signed: {done.path}",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    if done.image is None:
        console.print("  no image is on record: build and check first, to sign it as well")


def signed_document(done: Signed) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": done.locked.lock.name,
        "lock-id": done.locked.id,
        "image": done.image,
        "rebuilt": done.rebuilt,
        "file": str(done.path),
    }


def show_verified(done: AttestationVerified, console: Console) -> None:
    """Print who signed, or why the statement does not count."""
    name = f"{done.locked.lock.name} ({short_id(done.locked.id)})"
    if done.problem is not None:
        text = f"{name}: {done.problem}: {done.path}"
    else:
        text = f"{name}: signed by {', '.join(key.file for key in done.signers)}"
    console.print(text, highlight=False, soft_wrap=True, markup=False)


def verified_document(done: AttestationVerified) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "environment": done.locked.lock.name,
        "lock-id": done.locked.id,
        "good": done.problem is None,
        "problem": done.problem,
        "file": str(done.path),
        "keys": [{"file": key.file, "id": key.fingerprint} for key in done.signers],
    }
