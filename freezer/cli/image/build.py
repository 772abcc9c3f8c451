"""``freeze build``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freezer.cli.options import Env, Json, output_file
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK

if TYPE_CHECKING:
    from freezer.flows.image.build import Built


def build(  # noqa: PLR0913, PLR0917 - one for each option
    env: Env = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Assemble, load and verify again, even if the image is there."
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Build again from scratch and compare; exit 1 if the images differ."
        ),
    ] = False,
    timings: Annotated[
        bool, typer.Option("--timings", help="Print at the end what took how long.")
    ] = False,
    render_only: Annotated[
        Path | None,
        typer.Option(
            "--render-only",
            metavar="DIR",
            help="Only write a context that a plain `docker build` can build.",
            show_default=False,
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            metavar="FILE",
            help="Take everything from this bundle first; needs no network and no cache.",
            show_default=False,
        ),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(
            "--revision",
            metavar="COMMIT",
            help="Label the image with this source commit; its ID is then a function of lock "
            "and commit.",
            show_default=False,
        ),
    ] = None,
    provenance: Annotated[
        Path | None,
        typer.Option(
            "--provenance",
            metavar="FILE",
            help="Write what the image is made of too: SLSA v1 provenance as an in-toto "
            "statement, unsigned.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Build the lock's image: the same lock gives the same image ID, byte for byte."""
    from freezer.output.image.build import document, show, show_context, show_timings

    if bundle is not None:
        env = take(bundle, env)
    if render_only is not None:
        if provenance is not None:
            raise typer.BadParameter("--render-only builds no image that has a provenance")
        from freezer.flows.image.render import render

        context = render(current.project(), env, render_only)
        if json:
            current.emit({"context": str(context.folder), "bytes": context.size})
        else:
            show_context(context, current.stdout)
        return
    if verify:
        _verify(env, provenance, as_json=json)
        return
    from freezer.flows.image.build import build as run

    project, watch = current.timed_project()
    built = run(project, env, force=force, revision=revision)
    if provenance is not None:
        _write(built, provenance, revision)
    if json:
        current.emit({**document(built), "timings": watch.shares()})
        return
    show(built, current.stdout)
    if timings:
        show_timings(watch, current.stdout)


def take(bundle: Path, env: str | None) -> str:
    """Bring a bundle into store and project; return its environment's name."""
    from freezer.flows.image.bundle import take_bundle

    name = take_bundle(current.project(), bundle)
    if env is not None and env != name:
        raise typer.BadParameter(f"{bundle} is a bundle of {name}, not of {env}")
    return name


def _write(built: Built, path: Path, revision: str | None = None) -> None:
    from freezer.flows.attest.provenance import write_provenance

    write_provenance(current.project(), built, path, revision)


def _verify(env: str | None, provenance: Path | None, *, as_json: bool) -> None:
    from freezer.flows.image.rebuild import rebuild
    from freezer.output.image.build import rebuilt_document, show_rebuilt

    done = rebuild(current.project(), env)
    if provenance is not None:
        _write(done.built, provenance)
    if as_json:
        current.emit(rebuilt_document(done))
    else:
        show_rebuilt(done, current.stdout)
    raise typer.Exit(EXIT_OK if done.same else EXIT_NEGATIVE)
