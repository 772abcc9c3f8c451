"""Change one thing at a time in the built-in trainings, and see whether a check notices it.

    python -m benchmarks.mutations.run [--only NAME...] [--reruns 50] [--unchanged] [--small]
                                       [--results FILE]

Runs in the images of the shipped environments, which `freeze build` must have made of the locks as
they are, and in variants of them with one package in another version, which it makes itself; two of
them are PyTorch built for CUDA, which run on the CPU, and take 3 GB of downloads and 20 GB of disk.
Results of parts add up in one file. Writes the tables of docs/explanation/what-is-detected.md;
exits 1 when a change of bits went unnoticed, a cause was not named, or an unchanged run raised an
alarm.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.mutations import variants
from benchmarks.mutations.catalogue import MUTATIONS, VARIANTS, Mutation, Variant
from benchmarks.mutations.container import Told, record, run
from benchmarks.mutations.page import write_page
from benchmarks.mutations.signals import bits_changed, seen
from freezer.check.compare.compare import compare
from freezer.engine.connect.connect import connect
from freezer.image.layout import LOCK_LABEL
from freezer.model.lockfile import LOCK_FILE, lock_id, short_id
from freezer.model.record.verdict import CHANGED, Verdict, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.engine.interface import Engine

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = {
    "sklearn-cpu": ("numpy", "sklearn"),
    "torch-cpu": ("torch",),
    "jax-cpu": ("jax",),
    "tensorflow-cpu": ("tensorflow",),
    "boosting": ("xgboost", "lightgbm"),
}
Row = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="environments, `variants` or `blas`")
    parser.add_argument("--reruns", type=int, default=50, help="unchanged runs of each training")
    parser.add_argument("--unchanged", action="store_true", help="only the unchanged runs")
    parser.add_argument("--small", action="store_true", help="leave out PyTorch built for CUDA")
    parser.add_argument("--results", type=Path, help="keep the results of parts here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = options.results or Path(scratch) / "results.json"
        kept: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        engine = connect()
        for name in (
            options.only if options.only is not None else [*ENVIRONMENTS, "variants", "blas"]
        ):
            part = f"{name}, unchanged" if options.unchanged else name
            changes = () if options.unchanged else MUTATIONS
            chosen = [one for one in VARIANTS if not (one.large and options.small)]
            kept[part] = (
                {"rows": _variants(engine, chosen, Path(scratch)), "reruns": []}
                if name == "variants"
                else _part(engine, name, changes, options.reruns, Path(scratch))
            )
            path.write_text(json.dumps(kept, indent=1))
    rows = [row for part in kept.values() for row in part["rows"]]
    reruns = [one for part in kept.values() for one in part["reruns"]]
    write_page(rows, reruns)
    wrong = [row for row in rows if row["wrong"]] + [one for one in reruns if one["alarms"]]
    for one in wrong:
        print(f"WRONG {one}")
    return 1 if wrong else 0


def _part(
    engine: Engine, name: str, changes: Sequence[Mutation], reruns: int, scratch: Path
) -> dict[str, Any]:
    if name == "blas":
        expected, other = variants.other_blas(engine, scratch)
        mutation = Mutation("another BLAS (OpenBLAS to netlib)", ["numpy"], cause="BLAS")
        return {"rows": [_row(mutation, expected, other)], "reruns": []}
    rows, counted, image = [], [], shipped_image(engine, name)
    for training in ENVIRONMENTS[name]:
        print(f"{training}: changes", flush=True)
        chosen = [one for one in changes if training in one.trainings]
        plan = [(one.script(training), one.environment) for one in chosen]
        expected, *found = run(engine, image, training, [("", {}), *plan])
        rows += [_row(one, expected, told) for one, told in zip(chosen, found, strict=True)]
        print(f"{training}: {reruns} runs with no change", flush=True)
        counted.append(_unchanged(engine, image, training, expected, reruns))
    return {"rows": rows, "reruns": counted}


def shipped_image(engine: Engine, name: str) -> str:
    """Return the image of a shipped environment, as it is locked now."""
    locked = lock_id((ROOT / "lockfiles" / name / LOCK_FILE).read_bytes())
    found = engine.image(f"{name}:{short_id(locked)}")
    if found is None or found.labels.get(LOCK_LABEL) != locked:
        raise SystemExit(f"there is no image of {name}'s lock; run `freeze build {name}`")
    return found.id


def _unchanged(
    engine: Engine, image: str, training: str, expected: Told, count: int
) -> dict[str, Any]:
    plan: list[tuple[str, dict[str, str]]] = [("", {})] * count
    told = run(engine, image, training, plan)
    words = [compare(record(expected), record(one)).word for one in told]
    alarms = sum(word is not Word.IDENTICAL for word in words)
    return {"training": training, "runs": len(words), "alarms": alarms}


def _variants(engine: Engine, chosen: Sequence[Variant], scratch: Path) -> list[Row]:
    """Return the rows of other versions; what two of them need is built once."""
    for one in VARIANTS:
        if one not in chosen:
            print(f"{one.title}: left out, since --small was given", flush=True)
    told: dict[tuple[str, str, str], Told] = {}

    def ran(variant: Variant, instead: str) -> Told:
        key = (variant.environment, variant.training, instead)
        if key not in told:
            told[key] = _ran(engine, variant, instead, scratch)
        return told[key]

    rows = []
    for variant in chosen:
        print(variant.title, flush=True)
        mutation = Mutation(variant.title, [variant.training], cause=variant.cause)
        expected, found = ran(variant, variant.against), ran(variant, variant.replaced[1])
        rows.append(_row(mutation, expected, found))
    return rows


def _ran(engine: Engine, variant: Variant, instead: str, scratch: Path) -> Told:
    if instead:
        return variants.told_by(engine, variant, instead, scratch)
    [told] = run(engine, shipped_image(engine, variant.environment), variant.training, [("", {})])
    return told


def _row(mutation: Mutation, expected: Told, found: Told) -> Row:
    verdict = compare(record(expected), record(found))
    [one] = verdict.trainings
    first = one.first.what if one.first else one.reason or ""
    row = {
        "title": mutation.title,
        "training": expected.training.name,
        "seen": seen(expected, found),
        "bits": bits_changed(expected, found),
        "word": str(verdict.word),
        "first": first,
        "cause": _named(mutation, verdict),
    }
    row["wrong"] = _wrong(mutation, row, verdict)
    print(f"  {row['title']}: {row['word']}, first {row['first']}; {row['cause'] or 'no cause'}"
          + (f"  WRONG: {row['wrong']}" if row["wrong"] else ""), flush=True)  # fmt: skip
    return row


def _named(mutation: Mutation, verdict: Verdict) -> str:
    """Return the cause that was expected where it is named, else the likeliest of those named."""
    fitting = [one for one in verdict.causes if re.search(mutation.cause, one)]
    return next(iter([*fitting, *verdict.causes]), "")


def _wrong(mutation: Mutation, row: Row, verdict: Verdict) -> str:
    if verdict.word is Word.IDENTICAL:
        return "bits changed, and nothing was noticed" if row["bits"] else ""
    if verdict.word not in CHANGED:
        return f"the verdict is {verdict.word}"
    if not re.search(mutation.first, row["first"]):
        return f"first is not {mutation.first}"
    if mutation.cause and not any(re.search(mutation.cause, one) for one in verdict.causes):
        return f"the cause is not {mutation.cause}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
