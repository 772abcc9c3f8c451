"""Changes that the built-in trainings missed until they learnt from the determinism atlas.

    python -m benchmarks.mutations.hidden [TRAINING...]

Each change runs in the image of a shipped environment twice: with the runtime of before, which is
stored next to the locks that name it, and with the installed one. Before, small and tame data hid
it: few rows, targets of one size, one job. Writes the second table of
docs/explanation/what-is-detected.md; exits 1 when a change is still missed, or when the earlier
runtime showed it already.
"""

from __future__ import annotations

import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.mutations.catalogue import WITHOUT
from benchmarks.mutations.container import Told, record, run
from benchmarks.mutations.page import write_hidden
from benchmarks.mutations.run import ROOT, shipped_image
from freezer.check.compare.numbers import numbers_only
from freezer.engine.connect.connect import connect
from freezer.engine.interface import Mount
from freezer.image.layout import FREEZER
from freezer.inside import inside_files
from freezer.inside.freezer_inside.determinism import thread_counts
from freezer.model.image_runtime import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.engine.interface import Engine

BEFORE = "a2a5f382742b93786407c830ffb9d1a291a0ca7b0803f9846cef14430fb8abf5"
"""The runtime whose trainings had small and tame data alone."""
STORED = ROOT / "lockfiles" / "boosting" / "inside" / BEFORE


@dataclass(frozen=True)
class Hidden:
    """A change of results that a training shows only with data that make it visible."""

    title: str
    environment: str
    """The shipped one in whose image it runs."""
    training: str
    shows: str
    """A pattern of the results that must differ."""
    variables: Mapping[str, str] = field(default_factory=dict)


def _left_out(environment: str, switch: str, shows: str, title: str = "") -> Hidden:
    training = switch.partition(":")[0]
    return Hidden(title or f"{switch} left out", environment, training, shows, {WITHOUT: switch})


HIDDEN: Sequence[Hidden] = (
    _left_out("boosting", "lightgbm: deterministic", "heavy-tailed"),
    _left_out("boosting", "xgboost: updater", "linear: predictions"),
    _left_out(
        "sklearn-cpu",
        "sklearn: one job for predictions",
        "heavy-tailed forest",
        "forests predict with as many jobs as threads",
    ),
    Hidden(
        "1 thread: LogisticRegression, Ridge, LinearRegression, TruncatedSVD",
        "sklearn-cpu",
        "sklearn",
        "many rows: (logistic regression|ridge|linear regression|singular values)",
        thread_counts(1),
    ),
    Hidden(
        "1 thread: gradients of LayerNorm and Conv2d, mean, inverse",
        "torch-cpu",
        "torch",
        "probe: (LayerNorm|Conv2d|mean|inverse)",
        thread_counts(1),
    ),
)


def main() -> int:
    chosen = [one for one in HIDDEN if one.training in sys.argv[1:] or not sys.argv[1:]]
    engine = connect()
    with tempfile.TemporaryDirectory() as scratch:
        runtimes = {
            "before": _written(Path(scratch) / "before", _earlier()),
            "after": _written(Path(scratch) / "after", inside_files()),
        }
        rows = [_row(engine, one, runtimes) for one in chosen]
    write_hidden(rows)
    return 1 if any(row["wrong"] for row in rows) else 0


def _earlier() -> Mapping[str, bytes]:
    return unpack(STORED.read_bytes(), BEFORE, str(STORED.relative_to(ROOT)))


def _written(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write a runtime where a container of any user can read it."""
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    for made in (folder.parent, folder, *folder.rglob("*")):
        made.chmod(0o755 if made.is_dir() else 0o644)
    return folder


def _row(engine: Engine, one: Hidden, runtimes: Mapping[str, Path]) -> dict[str, Any]:
    image = shipped_image(engine, one.environment)
    found: dict[str, list[str]] = {}
    for name, folder in runtimes.items():
        mounts = [Mount(str(folder), FREEZER)]
        plan: list[tuple[str, Mapping[str, str]]] = [("", {}), ("", one.variables)]
        expected, changed = run(engine, image, one.training, plan, mounts=mounts)
        found[name] = differing(expected, changed)
    shown = {
        name: [key for key in keys if re.match(one.shows, key)] for name, keys in found.items()
    }
    wrong = bool(shown["before"]) or not shown["after"]
    row = {"title": one.title, "training": one.training, "found": found, "wrong": wrong}
    print(f"{one.title}: before {found['before']}, after {found['after']}", flush=True)
    return row


def differing(expected: Told, found: Told) -> list[str]:
    """Return the names of the results that differ, each once, in their order."""
    sides = [numbers_only(record(told)).trainings[0].observations for told in (expected, found)]
    after = {(one.kind, one.name, getattr(one, "step", 0)): one for one in sides[1]}
    names = (
        one.name
        for one in sides[0]
        if after.get((one.kind, one.name, getattr(one, "step", 0))) != one
    )
    return list(dict.fromkeys(names))


if __name__ == "__main__":
    sys.exit(main())
