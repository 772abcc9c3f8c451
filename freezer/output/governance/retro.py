"""What ``freeze retro`` prints, as text, as JSON and as one self-contained page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.output.pages import render_page, report_style
from freezer.output.text import plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.review.retro import Retro


def show_retro(found: Retro, console: Console) -> None:
    """Print all sections; one without anything says so."""
    text = "\n".join(printable(line) for line in _lines(found))
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def show_written(found: Retro, path: Path, length: int, console: Console) -> None:
    """Print where the page is, and the sum of it."""
    open_ = sum(one.ended is None for one in found.drifts)
    text = (
        f"{path}: {plural(len(found.drifts), 'drift')}, {open_} open, "
        f"{plural(len(found.never_checked), 'generation')} never checked, {size(length)}"
    )
    console.print(printable(text), markup=False, highlight=False, soft_wrap=True)


def _lines(found: Retro) -> Iterator[str]:
    yield (
        f"Since {found.since:%Y-%m-%d}: {plural(len(found.environments), 'environment')}, "
        f"{plural(found.generations, 'generation')}, {plural(found.checks, 'check')}"
    )
    yield from _section("Drifts", list(_drifts(found)))
    yield from _section("Rollbacks", list(_returns(found)))
    yield from _section("What cost most", list(_costs(found)))
    yield from _section("Deviations", list(_deviations(found)))
    yield from _section("Generations never checked", list(_unchecked(found)))
    yield from _section("Runs", list(_runs(found)))


def _section(title: str, lines: list[str]) -> Iterator[str]:
    yield ""
    yield title if lines else f"{title}: none"
    for line in lines:
        yield f"  {line}"


def _drifts(found: Retro) -> Iterator[str]:
    for one in found.drifts:
        time = span(one.open_for(found.now))
        end = f"ended after {time} by {one.how}" if one.ended else f"open for {time}"
        place = f"{one.environment} generation {one.generation} on {one.class_}"
        yield f"{one.began:%Y-%m-%d} {place}: {one.word}, {end}"
        for cause in one.causes:
            yield f"  {cause}"


def _returns(found: Retro) -> Iterator[str]:
    for one in found.returns:
        took = f"{span(one.took)} after the first bad check" if one.took else "no bad check before"
        forced = ", forced" if one.forced else ""
        reason = f": {one.reason}" if one.reason else ""
        what = f"{one.environment} to generation {one.generation}"
        yield f"{one.date:%Y-%m-%d} {what}, {took}{forced}{reason}"


def _costs(found: Retro) -> Iterator[str]:
    for one in found.costs:
        yield f"{one.factor}: {span(one.time)} in {plural(one.drifts, 'drift')}"


def _deviations(found: Retro) -> Iterator[str]:
    for one in sorted(found.deviations, key=lambda item: not item.expired):
        state = "expired" if one.expired else "open"
        until = f" until {one.until}" if one.until else ""
        yield f"{state}{until}: {one.what} ({one.reason}; {one.owner or 'nobody named'})"


def _unchecked(found: Retro) -> Iterator[str]:
    for one in found.never_checked:
        yield f"{one.date:%Y-%m-%d} {one.environment} generation {one.generation}: {one.summary}"
    if found.older_never_checked:
        yield f"{found.older_never_checked} before that day"


def _runs(found: Retro) -> Iterator[str]:
    runs = found.runs
    if not runs.made:
        return
    states = ", ".join(f"{count} {state}" for state, count in runs.states.items())
    yield f"{plural(runs.made, 'run')} ({states}), {runs.seconds / 3600:.1f} hours"
    again = sum(runs.again.values())
    if again:
        verdicts = ", ".join(f"{count} {word}" for word, count in runs.again.items())
        yield f"{again} made again: {verdicts}"
    else:
        yield "none made again"


def span(time: timedelta) -> str:
    """Return a time in its two largest units: ``2 d 3 h``, ``5 min``."""
    minutes = int(time.total_seconds()) // 60
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def retro_page(found: Retro) -> str:
    """Return the page; it loads nothing, and runs no script."""
    style, style_hash = report_style("report/retro.css")
    longest = max((one.time.total_seconds() for one in found.costs), default=0) or 1
    return render_page(
        "report/retro.html.j2",
        found=found,
        style=style,
        style_hash=style_hash,
        span=span,
        day=_day,
        bars=[
            (one, span(one.time), round(100 * one.time.total_seconds() / longest, 1))
            for one in found.costs
        ],
        again=sum(found.runs.again.values()),
        expired=sum(one.expired for one in found.deviations),
        open_drifts=sum(one.ended is None for one in found.drifts),
    )


def _day(when: datetime) -> str:
    return f"{when:%Y-%m-%d}"


def retro_document(found: Retro, path: Path | None = None) -> dict[str, Any]:
    """Return the facts for ``--json``; times are in seconds."""
    return {
        "file": str(path) if path is not None else None,
        "since": _stamp(found.since),
        "environments": list(found.environments),
        "generations": found.generations,
        "checks": found.checks,
        "drifts": [
            {
                "environment": one.environment,
                "generation": one.generation,
                "class": one.class_,
                "verdict": str(one.word),
                "began": _stamp(one.began),
                "ended": _stamp(one.ended) if one.ended else None,
                "how": one.how,
                "seconds": one.open_for(found.now).total_seconds(),
                "causes": list(one.causes),
            }
            for one in found.drifts
        ],
        "rollbacks": [
            {
                "environment": one.environment,
                "generation": one.generation,
                "date": _stamp(one.date),
                "reason": one.reason,
                "forced": one.forced,
                "seconds": one.took.total_seconds() if one.took is not None else None,
            }
            for one in found.returns
        ],
        "costs": [
            {"factor": one.factor, "drifts": one.drifts, "seconds": one.time.total_seconds()}
            for one in found.costs
        ],
        "deviations": [
            {
                "kind": one.kind,
                "what": one.what,
                "reason": one.reason,
                "owner": one.owner,
                "until": one.until.isoformat() if one.until else None,
                "expired": one.expired,
            }
            for one in found.deviations
        ],
        "never-checked": [
            {
                "environment": one.environment,
                "generation": one.generation,
                "date": _stamp(one.date),
                "summary": one.summary,
            }
            for one in found.never_checked
        ],
        "never-checked-before": found.older_never_checked,
        "runs": {
            "made": found.runs.made,
            "states": found.runs.states,
            "seconds": round(found.runs.seconds, 1),
            "made-again": found.runs.again,
        },
    }


def _stamp(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
