"""The command ``freeze``: global options, and the one place where errors become exit codes."""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from freezer import __version__
from freezer.cli.commands import Commands
from freezer.cli.session import Session, current
from freezer.cli.streams import survive_closed_streams
from freezer.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, EXIT_USER, FreezerError, HostError
from freezer.fetch.http.redact import redact
from freezer.output.text import redacted, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

app = typer.Typer(
    name="freeze",
    cls=Commands,
    help="Freeze the environment of an ML training job, and prove that it trains to the same "
    "numbers.",
    epilog="Exit codes: 0 done and good, 1 a negative verdict, 2 your input or environment, "
    "70 a bug, 130 interrupted.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


_UsageError: Any = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)
"""The base of what click raises for unusable arguments; typer may carry a click of its own."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"freeze {__version__}")
        raise typer.Exit


@app.callback()
def options(
    project: Annotated[
        Path | None,
        typer.Option(
            "-C",
            "--project",
            metavar="DIR",
            help="The project's folder; by default the one around the current folder.",
            show_default=False,
        ),
    ] = None,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Print details.")] = False,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Print warnings and errors only.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Take the global options."""
    del version
    current.verbosity = 2 if verbose else 0 if quiet else 1
    if project is None:
        from freezer.flows.project.find import find_project

        try:
            here = Path.cwd()
        except OSError as error:
            raise HostError(
                "the current folder is not there any more",
                found=error.strerror,
                hint="change into a folder that exists, or name the project's with -C",
            ) from error
        current.folder = find_project(here)
        if current.folder != current.start:
            current.reporter().debug(f"Project: {current.folder}")
        current.ready = True
        return
    if not project.is_dir():
        raise HostError(
            f"there is no folder {project}", hint="give -C the folder that holds images/"
        )
    current.start = current.folder = project.resolve()
    current.ready = True


def main() -> None:
    """Run the command and end the process."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # nohup has it ignored
        signal.signal(signal.SIGHUP, _interrupt)
    survive_closed_streams()
    code = run(sys.argv[1:])
    sys.stdout.flush()
    gc.freeze()  # the interpreter would look through all that is left for cycles, twice
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code. Nothing that a user can cause gets past it."""
    current.__dict__.update(Session().__dict__)
    try:
        result = app(list(arguments), standalone_mode=False, prog_name="freeze")
        if result == EXIT_INTERRUPTED:  # typer takes Ctrl-C for itself
            current.stderr.print("interrupted")
        return result if isinstance(result, int) else EXIT_OK
    except FreezerError as error:
        # Before a command has its options, whether it is to print JSON is in the arguments alone.
        current.json = current.json or (not current.ready and _asks_json(arguments))
        return _fail(error)
    except _UsageError as error:
        return _misused(error, arguments)
    except (KeyboardInterrupt, typer.Abort):
        current.stderr.print("interrupted")
        return EXIT_INTERRUPTED
    except OSError as error:
        return _fail(_of_the_host(error))
    except Exception:  # noqa: BLE001 - the last line of defence; everything known is above
        return _bug()
    finally:
        current.close()


def _fail(error: FreezerError) -> int:
    if current.json:
        current.emit(redacted(error.to_json()))
    current.stderr.print(
        f"[bold red]error:[/bold red] {_markup(error)}", soft_wrap=True, highlight=False
    )
    return error.exit_code


def _misused(error: Any, arguments: Sequence[str]) -> int:
    """Print what is wrong with the arguments; also as a document, if ``--json`` is among them.

    They may have been refused before that option was read.
    """
    if _asks_json(arguments):
        hint = f"see `{error.ctx.command_path} --help`" if getattr(error, "ctx", None) else None
        wrong = FreezerError(error.format_message(), hint=hint)
        current.emit({**wrong.to_json(), "error": "usage"})
    error.show()
    return EXIT_USER


def _asks_json(arguments: Sequence[str]) -> bool:
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    return "--json" in arguments[:end]


def _markup(error: FreezerError) -> str:
    from rich.markup import escape

    return escape(shown(str(error)))


def _of_the_host(error: OSError) -> HostError:
    name = error.filename2 or error.filename  # of a renaming, what it was to be
    place = f"{name}: " if name else ""
    return HostError(
        f"{place}{error.strerror or error}",
        hint="check that the path exists, that you may write there and that the disk is not full",
    )


def _bug() -> int:
    current.stderr.print("[bold red]This is a bug in Freezer.[/bold red] Please report it with:")
    current.stderr.print(traceback.format_exc(), markup=False, highlight=False, soft_wrap=True)
    if current.json:
        current.emit({"error": "bug", "message": redact(str(sys.exc_info()[1]))})
    return EXIT_BUG


def _interrupt(signum: int, frame: FrameType | None) -> Any:
    """Let blocks end and clean up after themselves, as on Ctrl-C."""
    del signum, frame
    raise KeyboardInterrupt
