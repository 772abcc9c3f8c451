"""``freeze sign``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freezer.cli.governance.options import PasswordFile, PrivateKey, What, password
from freezer.cli.options import Json
from freezer.cli.session import current

if TYPE_CHECKING:
    from freezer.flows.governance.key_files import Password


def sign(
    key: PrivateKey,
    what: What = None,
    password_file: PasswordFile = None,
    builder: Annotated[
        str | None,
        typer.Option(
            "--builder",
            metavar="URI",
            help="For an environment: who built, such as the URL of a CI system.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Sign a lock's provenance, an image in its registry, a check's report, or an archive."""
    from freezer.flows.attest.subject import Kind, kind_of
    from freezer.output.governance.attest import show_signed, signed_document

    kind = kind_of(what)
    if builder is not None and kind is not Kind.ENVIRONMENT:
        raise typer.BadParameter("--builder is for an environment, whose provenance names it")
    done = _sign(kind.value, what, key, password(password_file), builder)
    if json:
        current.emit(signed_document(done))
    else:
        show_signed(done, current.stdout)


def _sign(kind: str, what: str | None, key: Path, secret: Password, builder: str | None) -> Any:
    if kind == "image":
        from freezer.flows.attest.image import sign_image

        return sign_image(current.project(), str(what), key, secret)
    if kind == "report":
        from freezer.flows.attest.report import sign_report

        return sign_report(Path(str(what)), key, secret)
    if kind == "archive":
        from freezer.flows.attest.archive import sign_archive

        return sign_archive(Path(str(what)), key, secret)
    from freezer.flows.governance.attest import sign_lock

    return sign_lock(current.project(), what, key, builder=builder, password=secret)
