"""Turns measurements into a file of the atlas, and says what is different from before."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.atlas.campaign import CALLS
from benchmarks.atlas.environments import PYTHON
from freezer.frameworks.atlas.table import DATA, Sheet, parse_sheet, seal_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from benchmarks.atlas.campaign import Measured
    from benchmarks.atlas.streams import Streams
    from benchmarks.atlas.trial import Operation, Trial

_HOW = {
    "process": "three processes",
    "call": f"{CALLS} calls in one process",
    "threads": f"1, 2, 4 and again 4 threads, {CALLS} calls each",
    "blas threads": f"1, 2 and again 2 BLAS threads, {CALLS} calls each",
    "hash seed": f"PYTHONHASHSEED 0, 1 and 2, {CALLS} calls each",
}


def document(trial: Trial) -> dict[str, Any]:
    """Return a sheet without its seal: what this trial has measured before, if anything."""
    found: dict[str, Any] = {
        "package": trial.package,
        "title": title(trial),
        "trial": trial.sha256,
        "cpu": cpu(),
        "python": PYTHON,
        "also": list(trial.also),
    }
    path = DATA / f"{trial.package}.json"
    before = json.loads(path.read_bytes()) if path.exists() else {}
    same = ("trial", "cpu", "python")
    if all(before.get(name) == found[name] for name in same):
        found = {**before, **found}
    return found


def rows_of(
    measured: Mapping[str, Sequence[Measured]], environments: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Return the rows of a sheet, with the packages that they were measured with."""
    installed = {version: dict(sorted(items.items())) for version, items in environments.items()}
    return {"environments": installed, "rows": list(_rows(measured, _today()))}


def streams_of(trial: Trial, streams: Streams) -> dict[str, Any]:
    """Return the streams of a sheet."""
    return {"streams": list(_streams(trial, streams, _today()))}


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def title(trial: Trial) -> str:
    """Return the library's name as its trial's docstring begins."""
    import ast

    said = ast.get_docstring(ast.parse(trial.path.read_text(encoding="utf-8"))) or trial.package
    return said.partition(":")[0].strip()


def cpu() -> str:
    """Return the CPU as results depend on it: maker and the widest vectors."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    name = re.search(r"model name\s*: (.*)", text)
    flags = set((re.search(r"flags\s*: (.*)", text) or [""])[0].split())
    wide = next((one for one in ("avx512f", "avx2", "avx", "sse4_2") if one in flags), "no vectors")
    cores = len(re.findall(r"^processor\s*:", text, re.MULTILINE))
    known = name[1].strip() if name else "unknown CPU"
    return f"{known}, {cores} cores, {wide.upper().replace('_', '.')}"


def _rows(measured: Mapping[str, Sequence[Measured]], day: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each operation, factor and effect, with the versions that agree in it."""
    joined: dict[tuple[str, str, str, str | None], dict[str, Any]] = {}
    for version, found in measured.items():
        for one in found:
            key = (one.operation.title, one.factor, one.effect, one.setting)
            row = joined.setdefault(key, _row(one, day))
            row["versions"].append(version)
            row["digests"][version] = {name: list(bits) for name, bits in one.digests.items()}
    yield from joined.values()


def _row(one: Measured, day: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operation": one.operation.title,
        "versions": [],
        "factor": one.factor,
        "effect": one.effect,
        "finding": finding(one),
        "how": f"{one.operation.data}; {_HOW[one.factor]}; the bytes of the result",
        "date": day,
        "digests": {},
    }
    if one.factor == "threads":
        found["by"] = "argument" if "threads" in one.operation.parameters else "environment"
    if one.operation.note and one.effect != "same":
        found["note"] = one.operation.note
    if one.setting:
        found["setting"] = one.setting
    if one.variables:
        found["variables"] = one.variables
    return found


def finding(one: Measured) -> str:
    """Return in one sentence what the factor does."""
    if one.effect == "same":
        return "no bit differs"
    far = f", by up to {one.relative:.0e} of the largest value" if one.relative else ""
    if one.factor == "process":
        return f"other bits in each process{far}"
    if one.factor == "call":
        return f"other bits from call to call in one process{far}"
    unit = {"threads": "thread", "blas threads": "BLAS thread"}.get(one.factor, "hash seed")
    restless = [name for name, bits in one.digests.items() if len(bits) > 1]
    if restless:
        return f"other bits from call to call with {_named(restless, unit)}{far}"
    groups: dict[str, list[str]] = {}
    for name, bits in one.digests.items():
        groups.setdefault(bits[0], []).append(name)
    sides = ", ".join(_named(names, unit) for names in groups.values())
    return f"other bits for each of: {sides}; each repeats itself{far}"


def _named(names: Iterable[str], unit: str) -> str:
    listed = list(names)
    if unit == "hash seed":
        return f"PYTHONHASHSEED={' or '.join(listed)}"
    return f"{' or '.join(listed)} {unit}{'' if listed == ['1'] else 's'}"


def _streams(trial: Trial, streams: Streams, day: str) -> Iterator[dict[str, Any]]:
    for one in trial.operations:
        if "version" not in one.factors or len(streams.found) < 2:
            continue
        found: dict[str, Any] = {
            "operation": one.title,
            "how": _how(one, trial),
            "date": day,
            "releases": list(_releases(one.name, streams)),
        }
        if one.note:
            found["note"] = one.note
        yield found


def _how(one: Operation, trial: Trial) -> str:
    pins = f" with {', '.join(trial.stream_pins)}" if trial.stream_pins else ""
    return f"{one.data}; one thread, a release at a time{pins}; the bytes of the result"


def _releases(name: str, streams: Streams) -> Iterator[dict[str, Any]]:
    """Yield the releases that tell: the ends, and both neighbours of each change."""
    found = [(version, results[name]) for version, results in streams.found.items()]
    last = len(found) - 1
    for number, (version, bits) in enumerate(found):
        inner = 0 < number < last
        if inner and found[number - 1][1] == bits == found[number + 1][1]:
            continue
        yield {"version": version} | ({"bits": bits} if bits else {})


def write(document: dict[str, Any]) -> list[str]:
    """Seal a sheet and write it where it is read from; return how it differs from before."""
    found = {name: value for name, value in document.items() if value not in ([], {})}
    found = {**found, "seal": seal_of(found)}
    data = (json.dumps(found, indent=1, ensure_ascii=True) + "\n").encode()
    sheet = parse_sheet(data, found["package"])
    path = DATA / f"{sheet.package}.json"
    before = parse_sheet(path.read_bytes(), path.name) if path.exists() else None
    path.write_bytes(data)
    _write_aliases()
    return differences(before, sheet)


def _write_aliases() -> None:
    sheets = [
        parse_sheet(path.read_bytes(), path.name)
        for path in sorted(DATA.glob("*.json"))
        if path.stem != "aliases"
    ]
    names = {other: sheet.package for sheet in sheets for other in sheet.also}
    (DATA / "aliases.json").write_text(json.dumps(names, indent=1, sort_keys=True) + "\n")


def differences(before: Sheet | None, now: Sheet) -> list[str]:
    """Return a line for each row that is new, gone or has another effect, and for each stream."""
    if before is None:
        return [f"{now.package}: new, {len(now.rows)} rows, {len(now.streams)} streams"]
    old, new = _effects(before), _effects(now)
    lines = [f"{now.package}: {key}: gone" for key in old.keys() - new.keys()]
    for key, effect in new.items():
        if old.get(key) != effect:
            lines.append(f"{now.package}: {key}: {old.get(key, 'not measured')} -> {effect}")
    return sorted(lines)


def _effects(sheet: Sheet) -> dict[str, str]:
    found = {
        f"{row.operation}, {row.factor}, {version}": row.effect
        for row in sheet.rows
        for version in row.versions
    }
    changes = {
        f"{item.operation}, between releases": "; ".join(f"{a} to {b}" for a, b in item.changes())
        or "same"
        for item in sheet.streams
    }
    return found | changes
