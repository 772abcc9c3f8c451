"""Output of ``freeze rollback``: each step in order, then the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.canonical import plain
from freezer.model.lockfile import short_id
from freezer.output.styles import STYLES
from freezer.output.text import as_json, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from freezer.flows.rollback.plan import Rollback

_HOW = {
    "here": "is in the engine",
    "pulled": "was pulled from {place}",
    "rebuilt": "was built again",
}


def show(done: Rollback, console: Console) -> None:
    """Print what was verified, what would change or has changed, and the next step."""
    for line in _steps(done):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    if done.check is not None:
        from freezer.output.check.check import show_trainings  # a dry run has none

        show_trainings(done.check.verdict, console)
    for line in done.changes:
        console.print(f"  change: {escape(printable(line))}", highlight=False, soft_wrap=True)
    for line in _ending(done):
        console.print(line, highlight=False, soft_wrap=True)


def document(done: Rollback) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    check = done.check
    return {
        "environment": done.name,
        "from": {"generation": done.current.number, "lock-id": done.current.lock_id},
        "to": {"generation": done.target.number, "lock-id": done.target.lock_id},
        "changes": list(done.changes),
        "image": {
            "id": done.image,
            "how": done.how,
            "place": done.place,
            "on-record": done.on_record,
            "seconds": done.image_seconds,
        },
        "check": None
        if check is None
        else {
            "verdict": check.verdict.word.value,
            "class": check.record.host.class_,
            "against-reference": not check.by_two_runs,
            "trainings": [plain(one) for one in check.verdict.trainings],
            "expectations": [as_json(one) for one in check.outcomes],
        },
        "why-not": done.why_not,
        "done": None if done.done is None else plain(done.done),
        "already": done.already,
        "deviation": done.done is not None and done.done.deviation,
        "switch-seconds": done.switch_seconds,
        "satisfies-spec": done.satisfies_spec,
    }


def _steps(done: Rollback) -> Iterator[str]:
    target = done.target
    yield (
        f"back from generation {done.current.number} to {target.number}, "
        f"{target.date[:10]}: {escape(printable(target.summary))}"
    )
    yield f"lock  {short_id(target.lock_id)}: every byte verified"
    if done.already:
        return
    if done.how is not None:
        how = _HOW[done.how].format(place=done.place)
        known = {True: "the one on record", False: "not the one on record", None: "none on record"}
        yield f"image {(done.image or '')[7:19]}: {escape(how)}; {known[done.on_record]}"
    else:
        where = f"would be pulled from {done.place}, or else" if done.place else "would be"
        record = f"; must be {done.image[7:19]}" if done.image else ""
        yield f"image: is not in the engine, {escape(where)} built again{record}"
    if done.check is None:
        classes = ", ".join(done.classes) or "no class: only two runs could be compared"
        yield f"check: would be compared with its results, recorded for {escape(classes)}"


def _ending(done: Rollback) -> Iterator[str]:
    name, number = done.name, done.target.number
    if done.already and done.done is not None:
        yield (
            f"{name}: [bold green]done already[/bold green]: generation {done.done.number} is "
            f"current, with the lock of generation {number}"
        )
        return
    if done.check is None:
        changed = plural(len(done.changes), "change")
        yield f"{name}: dry run, nothing was touched; {changed} to go back to generation {number}"
        return
    word = done.check.verdict.word
    verdict = f"[{STYLES[word]}]{word}[/{STYLES[word]}]"
    if done.done is None:
        yield f"{name}: [bold red]stays[/bold red] at generation {done.current.number}"
        yield f"  {escape(printable(done.why_not or ''))}"
        yield "  next: `freeze rollback --to` another one, or --force with a --reason"
        return
    how = "[bold red]forced[/bold red], a deviation, " if done.done.deviation else ""
    yield (
        f"{name}: {how}generation {done.done.number} is current, the lock of generation {number}, "
        f"{verdict} here; the switch took {done.switch_seconds or 0:.2f} s"
    )
    if done.done.deviation and done.why_not:
        yield f"  {escape(printable(done.why_not))}"
    if done.satisfies_spec is False:
        yield (
            "  the spec was not changed and differs from this lock: pin in it what should be "
            f"kept before the next `freeze lock {name}`"
        )
