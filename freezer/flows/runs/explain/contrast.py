"""Why two runs differ: everything that decided their results, likeliest cause first. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from freezer.model.record.run import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.history.suspects import Level
    from freezer.model.record.run import Run, Value


@dataclass(frozen=True)
class Cause:
    """A difference between two runs, and how likely it changed the results."""

    area: str
    """``seed``, ``parameters``, ``data``, ``code``, ``environment``, ``settings``, ``host``."""
    name: str
    old: str
    new: str
    level: Level
    why: str
    details: tuple[str, ...] = ()


LEVELS: Final = ("certain", "likely", "possible", "unlikely")
KNOWN_CAUSES: Final[tuple[tuple[str, str, Level, str], ...]] = (
    (r"seed", "seed", "certain", "every random number is different"),
    (r"params\..+", "parameters", "certain", "the training got another value"),
    (r"data\.(?!.+\.list$).+", "data", "certain", "the training read other data"),
    (r"random\..+", "seed", "likely", "a generator drew other numbers"),
    (r"resumed-from\.digest", "data", "certain", "it continued from another checkpoint"),
    (r"template|command", "code", "certain", "another command ran"),
    (r"git\.patch", "code", "likely", "the working trees differ"),
    (r"git\.commit", "code", "likely", "another commit was checked out"),
    (r"lock", "environment", "likely", "other packages were installed"),
    (r"image", "environment", "possible", "the image holds other bytes"),
    (r"settings\.\w+_NUM_THREADS", "settings", "likely", "sums are split among threads"),
    ((r"settings\.(OPENBLAS_CORETYPE|MKL_CBWR|ATEN_CPU_CAPABILITY|ONEDNN_MAX_CPU_ISA"
     r"|FREEZER_NUMERICS)"), "settings", "likely", "it chooses the CPU kernels"),
    (r"settings\..+", "settings", "possible", "it may change how numbers are made or rounded"),
    (r"resources\.gpus", "host", "likely", "a GPU rounds otherwise than a CPU"),
    (r"resources\.gpu-count", "host", "likely", "sums are split among another number of GPUs"),
    (r"resources\.gpu-positions", "host", "unlikely", "other GPUs of a host"),
    (r"ranks", "host", "likely", "sums are split among another number of ranks"),
    (r"ranks\.[0-9]+\.class", "host", "likely", "the CPU of a rank takes other kernels"),
    (r"ranks\.[0-9]+\.host", "host", "unlikely", "no arithmetic depends on it"),
    (r"resources\..+", "settings", "possible", "fewer or more resources were given"),
    (r"versions\..+", "environment", "likely", "the training reported another version"),
    (r"host\.class", "host", "likely", "its CPU takes other kernels"),
    (r"host\.(level|cpu)", "host", "unlikely", "another CPU of the same numerics class"),
    (r"host\.(kernel|name)|engine", "host", "unlikely", "no arithmetic depends on it"),
    (r"network", "settings", "possible", "what came over the network is not recorded"),
)  # fmt: skip
"""Pattern of a field, area, level, and why; the first that fits counts. Threads, kernels and the
numerics class: docs/explanation/what-is-detected.md, where each was measured."""

SAME_CODE: Final = "the code is the same; only files of Freezer, or of data sets, differ"
FOLLOWS: Final = "the training reported it: with the same code it follows from something else"


def contrast(first: Run, second: Run) -> list[Cause]:
    """Return what differs between two runs, likeliest first."""
    fields = {**first.fields}, {**second.fields}
    fields[0]["command"], fields[1]["command"] = _command(first), _command(second)
    names = sorted(fields[0].keys() | fields[1].keys())
    causes = [
        cause
        for name in names
        if _differ(fields[0].get(name), fields[1].get(name))
        and (cause := _cause(name, fields[0].get(name), fields[1].get(name))) is not None
    ]
    causes = [*_without_echoes([_same_code(cause, *fields) for cause in causes])]
    return ranked(_following(cause, causes, *fields) for cause in causes)


def ranked(causes: Iterable[Cause]) -> list[Cause]:
    """Return causes, the likeliest first; of one level in the order of the rules."""
    order = {area: number for number, (_, area, _, _) in reversed(list(enumerate(KNOWN_CAUSES)))}
    return sorted(causes, key=lambda one: (LEVELS.index(one.level), order[one.area], one.name))


def varying(runs: Sequence[Run]) -> dict[str, list[Value | None]]:
    """Return the fields in which several runs differ, with the value of each run."""
    names = sorted({name for run in runs for name in run.all_fields()})
    passing = {"id", "started", "ended", "seconds", "cpu-seconds", "peak-memory", "links.sweep"}
    found = {}
    for name in names:
        values = [run.all_fields().get(name) for run in runs]
        if name not in passing and any(_differ(values[0], other) for other in values[1:]):
            found[name] = values
    return found


def _cause(name: str, old: Value | None, new: Value | None) -> Cause | None:
    for pattern, area, level, why in KNOWN_CAUSES:
        if re.fullmatch(pattern, name):
            return Cause(area, name, _shown(old), _shown(new), level, why)
    return None


def _same_code(cause: Cause, one: Mapping[str, Value], other: Mapping[str, Value]) -> Cause:
    """Return a cause; of equal code, a commit or patch is an unlikely one."""
    same = one.get("git.files") is not None and one.get("git.files") == other.get("git.files")
    if same and cause.name in ("git.commit", "git.patch"):
        return replace(cause, level="unlikely", why=SAME_CODE)
    return cause


def _following(
    cause: Cause, causes: Sequence[Cause], one: Mapping[str, Value], other: Mapping[str, Value]
) -> Cause:
    """Return a cause; values reported by the training rank below values given to it.

    A seed shows in a reported ``random_state``, another release of a library in its defaults. Where
    the code changed, what the training reports is what the change did, and stays a cause.
    """
    given = [item for item in causes if not _is_reported(item.name, one, other)]
    if any(item.area == "code" and item.level != "unlikely" for item in given):
        return cause
    if cause not in given and any(item.level in ("certain", "likely") for item in given):
        return replace(cause, level="possible", why=FOLLOWS)
    return cause


def _is_reported(name: str, one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Return whether a field was reported by the training only."""
    area, _, rest = name.partition(".")
    known = {"params": f"given.{rest}", "data": f"{name}.list"}.get(area)
    return area in ("random", "versions") or (
        known is not None and known not in one and known not in other
    )


def _without_echoes(causes: list[Cause]) -> Iterator[Cause]:
    """Leave out causes that follow from others in the list.

    A seed or a parameter is part of the command as well; another lock means another image.
    """
    names = {one.name for one in causes}
    given = any(one.area in ("seed", "parameters") for one in causes)
    for one in causes:
        if one.name == "command" and (given or "template" in names):
            continue
        if one.name == "image" and "lock" in names:
            continue
        if one.area == "seed" and one.name != "seed" and "seed" in names:
            continue
        yield one


def _command(run: Run) -> str:
    return " ".join(run.command)


def _differ(one: Value | None, other: Value | None) -> bool:
    return (type(one), repr(one)) != (type(other), repr(other))


def _shown(value: Value | None) -> str:
    if value is None:
        return "none"
    return str(value).removeprefix("sha256:")[:12] if isinstance(value, Digest) else str(value)
