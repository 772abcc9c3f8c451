"""``python -m benchmarks.atlas [PACKAGE...]``: measure libraries, and write what was found."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from benchmarks.atlas.again import again
from benchmarks.atlas.campaign import TrialFailedError, measure
from benchmarks.atlas.environments import RunError, virtual
from benchmarks.atlas.frozen import frozen
from benchmarks.atlas.streams import bisect
from benchmarks.atlas.trial import Trial, TrialError, trials
from benchmarks.atlas.write import document, rows_of, streams_of, write
from freezer.frameworks.atlas.table import DATA, parse_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.atlas.again import Make
    from benchmarks.atlas.campaign import Measured
    from benchmarks.atlas.environments import Environment


def main() -> int:
    arguments = _arguments()
    try:
        chosen = trials(tuple(arguments.package))
    except TrialError as error:
        print(error, file=sys.stderr)
        return 2
    make = frozen if arguments.frozen else virtual
    if arguments.again:
        try:
            return again(chosen, arguments.again, arguments.seed, make)
        except (RunError, TrialFailedError) as error:
            print(error, file=sys.stderr)
            return 1
    failed = 0
    for trial in chosen:
        if arguments.since and not out_of_date(trial, arguments.since):
            continue
        print(f"== {trial.package}", flush=True)
        try:
            lines = _measure(trial, make, rows=not arguments.streams, streams=not arguments.rows)
        except (RunError, TrialFailedError) as error:
            print(f"{trial.package}: left out: {error}", flush=True)
            failed += 1
            continue
        for line in lines:
            print(line, flush=True)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.atlas", description=__doc__)
    parser.add_argument("package", nargs="*", help="libraries; without names all")
    parser.add_argument(
        "--since",
        metavar="DATE",
        help="only what was measured before this date (YYYY-MM-DD), or by another trial",
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--rows", action="store_true", help="leave the comparison of releases")
    part.add_argument("--streams", action="store_true", help="only compare releases")
    parser.add_argument(
        "--frozen", action="store_true", help="in environments by Freezer's own lock and build"
    )
    parser.add_argument(
        "--again", type=int, metavar="N", help="compare N random rows with new ones"
    )
    parser.add_argument("--seed", type=int, help="of the choice of rows")
    return parser.parse_args()


def out_of_date(trial: Trial, since: str) -> bool:
    """Return whether a trial has no sheet, an older one, or one that another trial measured."""
    path = DATA / f"{trial.package}.json"
    if not path.exists():
        return True
    sheet = parse_sheet(path.read_bytes(), path.name)
    days = [*(row.date for row in sheet.rows), *(item.date for item in sheet.streams)]
    return sheet.trial != trial.sha256 or not days or min(days) < since


def _measure(trial: Trial, install: Make, *, rows: bool, streams: bool) -> list[str]:
    """Measure a trial, or a part of it; what is left out stays, if the same trial measured it."""
    folder = Path(mkdtemp(prefix="atlas-venvs-"))

    def make(version: str, pins: tuple[str, ...]) -> Environment:
        return install(folder / f"{version}-{len(pins)}", (f"{trial.package}=={version}", *pins))

    try:
        found = rows_of(*_rows(trial, make)) if rows else {}
        if streams and trial.oldest is not None:
            by = bisect(trial, lambda version: make(version, trial.stream_pins), _say)
            found |= streams_of(trial, by)
        return write(document(trial) | found)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _rows(
    trial: Trial, make: Callable[[str, tuple[str, ...]], Environment]
) -> tuple[dict[str, list[Measured]], dict[str, Mapping[str, str]]]:
    measured, environments = {}, {}
    for version in trial.versions:
        _say(f"  {version}")
        environment = make(version, trial.pins)
        environments[version] = environment.installed
        measured[version] = measure(trial, environment, _say)
    return measured, environments


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
