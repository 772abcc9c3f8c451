"""``freeze check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from freezer.cli.options import Json, Junit, generation_name, output_file, write_junit
from freezer.cli.session import current
from freezer.errors import EXIT_NEGATIVE, EXIT_OK

CLUSTER = "On a cluster"

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.check.result import CheckResult


def check(  # noqa: PLR0913, PLR0917 - one for each option
    envs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ENV|IMAGE",
            help="The environment, not needed where there is only one, several with --on; or an "
            "image: registry/repository@sha256:…, an ID or a tag.",
            show_default=False,
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option("--record", help="Record the reference anew, even where there is one."),
    ] = False,
    reference: Annotated[
        Path | None,
        typer.Option(
            "--reference",
            metavar="FILE",
            help="For an image: compare with this reference.",
            show_default=False,
        ),
    ] = None,
    generation: Annotated[
        str | None,
        typer.Option(
            "--generation",
            metavar="N",
            help="Check a generation of the past: a number or the first digits of its lock ID.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Check every generation: which still build and reproduce their results."
        ),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="DATE",
            help="Check the generations since then, such as 2026-11-01.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="With --all or --since: only list the locks, and where their images come from.",
        ),
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="N",
            help="Compare with the results of an earlier generation; records nothing.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write the verdict as one page too: FILE.html, or FILE.md for a pull request.",
            callback=output_file,
            show_default=False,
        ),
    ] = None,
    junit: Junit = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="TARGET",
            help="Check on every host of a cluster: slurm:PARTITION, or slurm:gpu:a100.",
            show_default=False,
            rich_help_panel=CLUSTER,
        ),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(
            "--host",
            metavar="NAME",
            help="Only this host; may be repeated.",
            show_default=False,
            rich_help_panel=CLUSTER,
        ),
    ] = None,
    wait: Annotated[
        bool | None,
        typer.Option(
            "--wait/--no-wait",
            help="Wait for the verdicts; default on a terminal.",
            show_default=False,
            rich_help_panel=CLUSTER,
        ),
    ] = None,
    deadline: Annotated[
        str,
        typer.Option(
            "--deadline",
            metavar="DURATION",
            help="Give up a host whose job has not ended by then.",
            rich_help_panel=CLUSTER,
        ),
    ] = "1h",
    pull: Annotated[
        bool,
        typer.Option(
            "--pull",
            help="Hosts pull the image from the registry it was pushed to, by digest.",
            rich_help_panel=CLUSTER,
        ),
    ] = False,
    runtime: Annotated[
        list[str] | None,
        typer.Option(
            "--runtime",
            metavar="NAME",
            help="Container runtimes of the hosts in order: docker, podman, apptainer, enroot.",
            show_default=False,
            rich_help_panel=CLUSTER,
        ),
    ] = None,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(
            "--sbatch",
            metavar="OPTION",
            help="A further option for sbatch, such as --account=ml.",
            show_default=False,
            rich_help_panel=CLUSTER,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Train in the image and compare with the recorded results, bit by bit; exit 1 on drift."""
    from freezer.flows.project.image_reference import is_image

    if on is not None:
        _require_alone(everything, reference, generation, since, dry_run, against, report, junit)
        _check_on(
            envs or (), on, host=host, deadline=deadline, record=record, pull=pull,
            runtime=runtime, sbatch=sbatch, wait=wait, as_json=json,
        )  # fmt: skip
    env = _only(envs, cluster=bool(host or wait is not None or pull or runtime or sbatch))
    other = everything or since or generation or (env and is_image(env))
    form = _form(report, junit, allowed=not other)
    _require_fit(dry_run, plan=everything or since is not None, other=bool(generation or record))
    if generation is not None or everything or since is not None:
        if reference is not None or (env is not None and is_image(env)):
            raise typer.BadParameter("only an environment has generations, not an image")
        if (generation is not None) + everything + (since is not None) + (against is not None) > 1:
            raise typer.BadParameter("give one of --generation, --all, --since and --against")
        _check_past(env, generation, since, record=record, dry_run=dry_run, as_json=json)
    if env is not None and is_image(env):
        if record:
            raise typer.BadParameter(
                "--record needs an environment: a reference is stored next to its lock"
            )
        if against is not None:
            raise typer.BadParameter("--against needs an environment: an image has no history")
        _check_image(env, reference, as_json=json)
    if reference is not None:
        raise typer.BadParameter("--reference is for images; an environment has its own references")
    result = _current(env, against, record=record)
    from freezer.output.check.check import document, show

    _write_files(result, report, form, junit)
    if json:
        current.emit(document(result))
    else:
        show(result, current.stdout)
    raise typer.Exit(EXIT_OK if result.verdict.good else EXIT_NEGATIVE)


def _require_alone(*others: object) -> None:
    if any(others):
        raise typer.BadParameter("--on takes no option of the check on this host")


def _require_fit(dry_run: bool, *, plan: bool, other: bool) -> None:
    if dry_run and (other or not plan):
        raise typer.BadParameter("--dry-run goes with --all or --since, and without --record")


def _only(envs: Sequence[str] | None, *, cluster: bool) -> str | None:
    """Return the one environment or image of a check on this host."""
    if cluster:
        raise typer.BadParameter("options of a cluster need --on")
    if envs is not None and len(envs) > 1:
        raise typer.BadParameter("several environments need --on; here, check one at a time")
    return envs[0] if envs else None


def _check_on(  # noqa: PLR0913 - one for each option
    envs: Sequence[str],
    on: str,
    *,
    host: Sequence[str] | None,
    deadline: str,
    record: bool,
    pull: bool,
    runtime: Sequence[str] | None,
    sbatch: Sequence[str] | None,
    wait: bool | None,
    as_json: bool,
) -> NoReturn:
    from freezer.cli.check.on import check_on
    from freezer.cli.fleet.options import duration
    from freezer.flows.fleet.start import RUNTIMES, FleetOptions

    options = FleetOptions(
        only=tuple(host or ()),
        deadline=duration(deadline),
        record=record,
        pull=pull,
        runtimes=tuple(runtime or RUNTIMES),
        slurm=tuple(sbatch or ()),
    )
    check_on(envs, on, options, wait=wait, as_json=as_json)


def _current(env: str | None, against: str | None, *, record: bool) -> CheckResult:
    if against is not None:
        if record:
            raise typer.BadParameter("--against records nothing")
        from freezer.flows.compare.check_against import check_against

        return check_against(current.project(), env, generation_name(against))
    from freezer.flows.check.check import check as run

    return run(current.project(), env, record=record, preload=_load_answer)


def _load_answer() -> None:
    import freezer.output.check.check  # noqa: F401 - while the training runs


def _form(report: Path | None, junit: Path | None, *, allowed: bool) -> str:
    """Return ``html`` or ``md`` for a report's file; empty if none is requested."""
    if junit is not None and not allowed:
        raise typer.BadParameter("--junit is for the check of an environment's current lock")
    if report is None:
        return ""
    if not allowed:
        raise typer.BadParameter("--report is for the check of an environment's current lock")
    form = report.suffix.lstrip(".")
    if form not in ("html", "md"):
        raise typer.BadParameter(f"--report writes .html or .md, and {report} is neither")
    return form


def _write_files(result: CheckResult, path: Path | None, form: str, junit: Path | None) -> None:
    from freezer.output.junit import of_check

    write_junit(junit, [of_check(result)])
    if path is None:
        return
    from freezer.fetch.store.atomic import disk_errors, write_atomically
    from freezer.output.check.report import report

    with disk_errors(path.parent):
        write_atomically(path, report(result, form).encode())


def _check_past(
    env: str | None,
    generation: str | None,
    since: str | None,
    *,
    record: bool,
    dry_run: bool,
    as_json: bool,
) -> NoReturn:
    if dry_run:
        _plan_past(env, since, as_json=as_json)
    from freezer.flows.compare.check_all import check_all, check_generation, parse_since
    from freezer.output.check.all import document, show

    project = current.project()
    if generation is not None:
        found = check_generation(project, env, generation_name(generation), record=record)
    else:
        moment = parse_since(since) if since is not None else None
        found = check_all(project, env, since=moment, record=record)
    if as_json:
        current.emit(document(found))
    else:
        show(found, current.stdout)
    raise typer.Exit(EXIT_OK if found.good else EXIT_NEGATIVE)


def _plan_past(env: str | None, since: str | None, *, as_json: bool) -> NoReturn:
    from freezer.flows.compare.check_all import parse_since
    from freezer.flows.compare.planned_checks import plan_all
    from freezer.output.check.all import planned_document, show_planned

    moment = parse_since(since) if since is not None else None
    found = plan_all(current.project(), env, since=moment)
    if as_json:
        current.emit(planned_document(found))
    else:
        show_planned(found, current.stdout)
    raise typer.Exit(EXIT_OK)


def _check_image(name: str, reference: Path | None, *, as_json: bool) -> NoReturn:
    from freezer.flows.check.check_image import check_image
    from freezer.output.check.image import document, show

    result = check_image(current.project(), name, reference)
    if as_json:
        current.emit(document(result))
    else:
        show(result, current.stdout)
    raise typer.Exit(EXIT_OK if result.verdict.good else EXIT_NEGATIVE)
