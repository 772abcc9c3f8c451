"""Options that ``freeze sign``, ``freeze verify`` and ``freeze log`` share."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from freezer.flows.governance.key_files import Password

What = Annotated[
    str | None,
    typer.Argument(
        metavar="SUBJECT",
        help="An environment, not needed if there is only one; an image in a registry, by "
        "its digest as pushed; a report: a file that `freeze check --json` printed; or the folder "
        "of an archive.",
        show_default=False,
    ),
]
PrivateKey = Annotated[
    Path,
    typer.Option(
        "--key",
        metavar="FILE",
        help="A private key, ed25519 or ECDSA P-256, as PEM or in OpenSSH's format. The password "
        "of an encrypted one comes from --password-file or FREEZER_KEY_PASSWORD, else it is "
        "asked for.",
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="A file whose first line is the key's password.",
        show_default=False,
    ),
]
KEYS_HELP = "A public key or a certificate, as PEM or in OpenSSH's format; once for each key."
At = Annotated[
    str | None,
    typer.Option(
        "--at",
        metavar="DATE",
        help="When a certificate must be valid, such as 2026-11-30; now by default. Give it only "
        "where you know by other means that the signature existed then.",
        show_default=False,
    ),
]

Generation = Annotated[
    str | None,
    typer.Option(
        "--generation",
        metavar="N",
        help="For an environment: an earlier lock, by its generation's number or the first "
        "digits of its lock ID.",
        show_default=False,
    ),
]


def password(file: Path | None) -> Password:
    """Return where the password of a key comes from; a terminal is asked."""
    from freezer.flows.governance.key_files import Password

    return Password(file, _ask) if sys.stdin.isatty() else Password(file)


def moment(at: str | None) -> datetime | None:
    """Return the end of a day, UTC, or None for now. Raises ``typer.BadParameter``."""
    if at is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(at), time.max, UTC)
    except ValueError:
        raise typer.BadParameter(f"--at takes a day such as 2026-11-30, not {at!r}") from None


def _ask() -> bytes | None:
    given: str = typer.prompt("Password of the key", hide_input=True, err=True)
    return given.encode() or None
