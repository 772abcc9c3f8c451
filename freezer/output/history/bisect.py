"""Output of ``freeze bisect``: the generation, the change, and how to go back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.history.search import State
from freezer.model.canonical import plain
from freezer.output.text import plural

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.compare.bisect import Bisected
    from freezer.flows.compare.trials import Trial


def show(found: Bisected, console: Console) -> None:
    """Print the change that changed the results. Trials were reported before."""
    _say(
        f"{found.name}: the results changed from generation {found.good.number} to "
        f"{found.bad.number} ({found.bad.summary})",
        console,
    )
    if found.skipped:
        text = plural(found.skipped, "generation")
        _say(f"  {text} between them could not be tried: it may be in one of those", console)
    if not found.culprits:
        _say("  the two locks install the same: the change is not in the locks", console)
    elif len(found.culprits) == 1:
        _say(f"  by this change alone: {found.culprits[0].title}", console)
    else:
        _say("  no smaller set of changes is known to change them:", console)
        for one in found.culprits:
            _say(f"    {one.title}", console)
    for numbers in found.numbers:
        _say(f"  as measured, {numbers}", console)
    _say(f"  {found.trial.summary}", console)
    skipped = sum(one.state is State.SKIPPED for one in found.trials)
    _say(f"  {plural(len(found.trials), 'trial')}, {skipped} of them skipped", console)
    _say(f"  to go back: {rollback_command(found)}", console)


def rollback_command(found: Bisected) -> str:
    """Return the command that makes the last good generation current."""
    return f"freeze rollback {found.name} --to {found.good.number}"


def document(found: Bisected) -> dict[str, Any]:
    """Return a bisection for ``--json``."""
    verdict = found.trial.verdict
    return {
        "environment": found.name,
        "good": found.good.number,
        "bad": found.bad.number,
        "skipped-generations": found.skipped,
        "changes": found.changes,
        "culprits": [
            {
                "title": one.title,
                "items": [
                    {"ecosystem": ecosystem, "name": name or None} for ecosystem, name in one.items
                ],
            }
            for one in found.culprits
        ],
        "numbers": [plain(one) for one in found.numbers],
        "first-difference": [
            plain(one.first) for one in (verdict.trainings if verdict else ()) if one.first
        ],
        "trials": [_trial(one) for one in found.trials],
        "rollback": rollback_command(found),
    }


def _trial(one: Trial) -> dict[str, Any]:
    return {
        "title": one.title,
        "state": one.state.value,
        "summary": one.summary,
        "seconds": round(one.seconds, 1),
    }


def _say(text: str, console: Console) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)
