"""Counts what a command loads and calls. Run as a program: ``count.py OUT ARGUMENTS...``.

The counts hold on any machine with the same Python and libraries, whatever else it does: so a
test can hold them (``tests/unit/benchmarks``), which it could not do with times.
"""

from __future__ import annotations

import cProfile
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Counts:
    """What one start of a command takes."""

    modules: int
    """Imported when it ends."""
    calls: int
    """Of functions, Python's and C's, on the main thread."""


def count(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], out: Path
) -> Counts:
    """Return the counts of a command, started twice: the first start may write byte code."""
    for _ in range(2):
        subprocess.run(
            [sys.executable, __file__, str(out), *arguments],
            cwd=folder, env=dict(environment), check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    return Counts(**json.loads(out.read_text()))


def _main() -> None:
    out, sys.argv = Path(sys.argv[1]), ["freeze", *sys.argv[2:]]
    profile = cProfile.Profile(builtins=True)
    code: object = 0
    profile.enable()
    try:
        from freezer.__main__ import main

        main()
    except SystemExit as end:
        code = end.code
    profile.disable()
    calls = sum(entry.callcount for entry in profile.getstats())
    out.write_text(json.dumps(asdict(Counts(len(sys.modules), calls))))
    sys.exit(code)  # type: ignore[arg-type]


if __name__ == "__main__":
    _main()
