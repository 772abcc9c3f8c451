"""``freeze sbom``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.options import Env, Json, text_output
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK


class SbomFormat(StrEnum):
    """The formats of a bill of materials."""

    CYCLONEDX = "cyclonedx"
    CYCLONEDX_1_7 = "cyclonedx-1.7"
    SPDX = "spdx"


def sbom(
    env: Env = None,
    form: Annotated[
        SbomFormat,
        typer.Option(
            "--format", help="CycloneDX 1.6, CycloneDX 1.7, or SPDX 2.3; all of them as JSON."
        ),
    ] = SbomFormat.CYCLONEDX,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="The file to write; standard output if none is given.",
            callback=text_output,
            show_default=False,
        ),
    ] = None,
    verify: Annotated[
        Path | None,
        typer.Option(
            "--verify",
            metavar="FILE",
            help="Compare this document with the lock and the image; exit 1 if they differ.",
            show_default=False,
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            "--image",
            metavar="IMAGE",
            help="With --verify: another image than the lock's own.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Write the bill of materials: base, Debian, conda, pip, what computes, what it trained to."""
    if verify is not None:
        if output is not None:
            raise typer.BadParameter("give -o FILE to write a document, or --verify FILE")
        _verify(env, verify, image, as_json=json)
        return
    if image is not None:
        raise typer.BadParameter("--image goes with --verify")
    from freezer.flows.governance.sbom import make_sbom, sbom_text
    from freezer.output.governance.sbom import document, show

    project = current.project()
    made = make_sbom(project, env)
    text = sbom_text(project, made.sbom, form.value)
    if output is None:
        current.stdout.file.write(text)
        return
    from freezer.fetch.store.atomic import disk_errors, write_atomically

    with disk_errors(output.parent):
        write_atomically(output, text.encode())
    if json:
        current.emit(document(made, output, form.value, text))
    else:
        show(made, output, current.stdout)


def _verify(env: str | None, path: Path, image: str | None, *, as_json: bool) -> None:
    from freezer.flows.governance.sbom_verify import verify_sbom
    from freezer.output.governance.sbom import show_verified, verified_document

    done = verify_sbom(current.project(), env, path, image)
    if as_json:
        current.emit(verified_document(done))
    else:
        show_verified(done, path, current.stdout)
    raise typer.Exit(EXIT_OK if done.good else EXIT_NEGATIVE)
