"""``freeze sign``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freezer.cli.governance.options import Generation, PasswordFile, PrivateKey, What, password
from freezer.cli.options import Json, generation_name
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
    generation: Generation = None,
    json: Json = False,
) -> None:
    """Sign a lock's provenance, an image in its registry, a check's report, or an archive."""
    from freezer.flows.attest.subject import Kind, kind_of
    from freezer.output.governance.attest import show_signed, signed_document

    kind = kind_of(what)
    secret = password(password_file)
    if kind is Kind.ENVIRONMENT:
        done = _sign_lock(what, key, secret, builder, generation)
    elif builder is not None or generation is not None:
        raise typer.BadParameter("--builder and --generation are for an environment's provenance")
    else:
        done = _sign(kind.value, str(what), key, secret)
    if json:
        current.emit(signed_document(done))
    else:
        show_signed(done, current.stdout)


def _sign_lock(
    env: str | None, key: Path, secret: Password, builder: str | None, generation: str | None
) -> Any:
    from freezer.flows.governance.attest import sign_lock

    number = generation_name(generation) if generation is not None else None
    return sign_lock(
        current.project(), env, key, builder=builder, password=secret, generation=number
    )


def _sign(kind: str, what: str, key: Path, secret: Password) -> Any:
    if kind == "image":
        from freezer.flows.attest.image import sign_image

        return sign_image(current.project(), what, key, secret)
    if kind == "report":
        from freezer.flows.attest.report import sign_report

        return sign_report(current.project(), Path(what), key, secret)
    from freezer.flows.attest.archive import sign_archive

    return sign_archive(Path(what), key, secret)
