"""Run trainings that have a fault of the atlas, and see whether its cause is named first.

    python -m benchmarks.atlas.faults [--only NAME...]

Each fault is a small program of a user. It is locked, built and checked (or audited, where results
change with the number of threads and repeat otherwise) in a real image. The first cause that is
named has to be the measured row, and with the setting of that row results have to be identical.
Writes measured.json and RESULTS.md; exits 1 when one of them is not so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.atlas.faults.catalogue import FAULTS, IMAGES
from benchmarks.atlas.faults.project import RunError, run
from benchmarks.atlas.write import cpu
from freezer.engine.connect.connect import connect

if TYPE_CHECKING:
    from benchmarks.atlas.faults.catalogue import Fault

HERE: Final = Path(__file__).parent
MEASURED: Final = HERE / "measured.json"


@dataclass(frozen=True)
class Outcome:
    """What Freezer said of one fault."""

    package: str
    operation: str
    image: str
    by: str
    word: str
    """The verdict on the faulty program: ``drifted``, or the factors of an audit that change it."""
    named: str
    """The cause that was named first; empty: none."""
    first: bool
    """Whether that is the measured row."""
    mended: str
    """The verdict with the setting."""
    date: str

    @property
    def good(self) -> bool:
        """Whether the cause was named first, and the setting stops the effect."""
        return self.first and self.mended in ("identical", "same")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.atlas.faults", description=__doc__)
    names = sorted({*IMAGES, *(one.package for one in FAULTS)})
    parser.add_argument("--only", nargs="*", choices=names, help="images or packages")
    only = parser.parse_args().only or [*IMAGES]
    chosen = [one for one in FAULTS if one.image in only or one.package in only]
    kept: dict[str, Any] = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    found = []
    for image in dict.fromkeys(one.image for one in chosen):
        with tempfile.TemporaryDirectory(prefix="atlas-faults-") as scratch:
            for fault in (one for one in chosen if one.image == image):
                found.append(_tried(Path(scratch), fault))
                kept[f"{fault.package}: {fault.operation}"] = asdict(found[-1])
                _write(kept)
        _forget(image)
    return 0 if all(one.good for one in found) else 1


def _write(kept: dict[str, Any]) -> None:
    """Write what was measured, in the order of the catalogue; what is no longer in it goes."""
    keys = [f"{one.package}: {one.operation}" for one in FAULTS]
    ordered = {key: kept[key] for key in keys if key in kept}
    MEASURED.write_text(json.dumps(ordered, indent=1) + "\n")
    write_results(ordered)


def _tried(scratch: Path, fault: Fault) -> Outcome:
    try:
        found = outcome(scratch / fault.image, fault)
    except RunError as error:
        found = Outcome(
            fault.package, fault.operation, fault.image, fault.by,
            f"failed: {error}", "", False, "not run", _today(),
        )  # fmt: skip
    print(
        f"{'ok   ' if found.good else 'WRONG'} {found.package}: {found.operation}: {found.word}; "
        f"{found.named or 'nothing named'}; with the setting: {found.mended}",
        flush=True,
    )
    return found


def outcome(folder: Path, fault: Fault) -> Outcome:
    """Run a fault with and without what stops it. Raises ``RunError``."""
    report, mended = (run(folder, fault, text) for text in (fault.faulty, fault.mended))
    word, named = _named(fault, report)
    return Outcome(
        fault.package,
        fault.operation,
        fault.image,
        fault.by,
        word,
        named,
        f", {fault.operation}: " in named,
        _mended(fault, mended),
        _today(),
    )


def _named(fault: Fault, report: dict[str, Any]) -> tuple[str, str]:
    """Return what was noticed, and the cause that was named first."""
    if fault.by == "check":
        return report["verdict"], next(iter(report["measured"]), "")
    changing = [item["factor"] for item in report["effects"] if item.get("changes")]
    named = (report["measured"].get(factor, []) for factor in changing)
    return f"changes with {', '.join(changing)}", next((lines[0] for lines in named if lines), "")


def _mended(fault: Fault, report: dict[str, Any]) -> str:
    if fault.by == "check":
        return str(report["verdict"])
    threads = [
        item["title"]
        for item in report["effects"]
        if item.get("changes") and item["factor"].startswith(("threads-", "race", "again"))
    ]
    return f"changes with {', '.join(threads)}" if threads else "same"


def write_results(kept: dict[str, Any]) -> None:
    """Write the outcomes as a page."""
    outcomes = [Outcome(**item) for item in kept.values()]
    good = sum(one.good for one in outcomes)
    head = ["package", "operation", "found by", "verdict", "with the setting", "cause named first"]
    lines = [head, ["---"] * len(head)]
    for one in outcomes:
        by = f"`freeze {one.by}`"
        row = [one.package, f"`{one.operation}`", by, one.word, one.mended, one.named or "none"]
        lines.append([cell.replace("|", "\\|").replace("\n", " ") for cell in row])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    text = f"""# Trainings with a fault of the atlas

<!-- Written by `python -m benchmarks.atlas.faults`. -->

{len(outcomes)} small trainings were run in images of real locks, on {cpu()}.
In {good} of them the measured row is the first cause that Freezer names, and results are the same
with the setting that the row has.

{table}
"""
    (HERE / "RESULTS.md").write_text(text)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _forget(image: str) -> None:
    """Remove the images that were built; their layers stay in Freezer's store."""
    engine = connect()
    for found in engine.images():
        for tag in found.tags:
            if tag.startswith(f"atlas-{image}:"):
                engine.remove_image(tag)


if __name__ == "__main__":
    sys.exit(main())
