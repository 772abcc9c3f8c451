"""``freeze verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freezer.cli.governance.options import KEYS_HELP, At, Generation, What, moment
from freezer.cli.options import Json, generation_name
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK

if TYPE_CHECKING:
    from datetime import datetime


def verify(
    keys: Annotated[list[Path], typer.Option("--key", metavar="FILE", help=KEYS_HELP)],
    what: What = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            metavar="FILE",
            help="A signed statement elsewhere than where `freeze sign` stores it.",
            show_default=False,
        ),
    ] = None,
    at: At = None,
    generation: Generation = None,
    json: Json = False,
) -> None:
    """Verify a signature by public keys; exit 1 if none of them signed it as it is."""
    from freezer.flows.attest.subject import Kind, kind_of
    from freezer.output.governance.attest import is_good, show_verified, verified_document

    kind = kind_of(what)
    if file is not None and kind is Kind.IMAGE:
        raise typer.BadParameter("--file is not for images: their signatures are in the registry")
    if kind is Kind.ENVIRONMENT:
        done = _verify_lock(what, keys, file, moment(at), generation)
    elif generation is not None:
        raise typer.BadParameter("only an environment has generations")
    else:
        done = _verify(kind.value, str(what), keys, file, moment(at))
    if json:
        current.emit(verified_document(done))
    else:
        show_verified(done, current.stdout)
    raise typer.Exit(EXIT_OK if is_good(done) else EXIT_NEGATIVE)


def _verify_lock(
    env: str | None,
    keys: list[Path],
    file: Path | None,
    at: datetime | None,
    generation: str | None,
) -> Any:
    from freezer.flows.governance.attest import verify_lock

    number = generation_name(generation) if generation is not None else None
    return verify_lock(current.project(), env, keys, file, at=at, generation=number)


def _verify(kind: str, what: str, keys: list[Path], file: Path | None, at: datetime | None) -> Any:
    if kind == "image":
        from freezer.flows.attest.image import verify_image

        return verify_image(current.project(), what, keys, at=at)
    if kind == "report":
        from freezer.flows.attest.report import verify_report

        return verify_report(Path(what), keys, file, at=at)
    from freezer.flows.attest.archive import verify_archive_signature

    return verify_archive_signature(Path(what), keys, file, at=at)
