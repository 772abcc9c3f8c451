"""``freeze retro``: what went wrong since a day, by the histories, the policy and the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from freezer.errors import FreezerError, LedgerError, SpecError
from freezer.flows.compare.check_all import parse_since
from freezer.flows.governance.policy import load_policy
from freezer.flows.history.log import environment_name
from freezer.flows.history.recorded import readable_history
from freezer.flows.project.environment import LOCKS, environment_names, load_environment
from freezer.flows.review.drifts import Drift, Return, drifts, moment, returns
from freezer.flows.runs.folders import has_ledger
from freezer.history.archive import archived
from freezer.history.diff import diff_locks
from freezer.history.log import FOLDER
from freezer.history.suspects import assess
from freezer.model.record.run import Time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from freezer.flows.project.project import Project
    from freezer.history.log import History
    from freezer.model.generation import Generation
    from freezer.model.record.run import Run

_MOST_CAUSES: Final = 3
"""Likely causes of a drift that are named."""
_COUNTED: Final = frozenset({"certain", "likely", "possible"})


@dataclass(frozen=True)
class KnownDeviation:
    """Something that somebody answers for."""

    kind: str
    """``policy``, ``nondeterminism``, ``vulnerability`` or ``rollback``."""
    what: str
    reason: str
    owner: str | None
    until: date | None
    expired: bool


@dataclass(frozen=True)
class NeverChecked:
    """A generation that no check ever looked at."""

    environment: str
    generation: int
    date: datetime
    summary: str


@dataclass(frozen=True)
class Cost:
    """What one cause came to."""

    factor: str
    drifts: int
    time: timedelta
    """For which an environment was not good because of it."""


@dataclass(frozen=True)
class RunsSeen:
    """Runs of the ledger since then."""

    made: int
    states: dict[str, int]
    seconds: float
    again: dict[str, int]
    """Runs that were made again, by verdict."""


@dataclass(frozen=True)
class Retro:
    """What a team looks back at."""

    since: datetime
    now: datetime
    environments: tuple[str, ...]
    generations: int
    checks: int
    drifts: tuple[Drift, ...]
    returns: tuple[Return, ...]
    deviations: tuple[KnownDeviation, ...]
    never_checked: tuple[NeverChecked, ...]
    older_never_checked: int
    """Generations before that day without a check."""
    costs: tuple[Cost, ...]
    """The dearest first."""
    runs: RunsSeen


def look_back(project: Project, name: str | None, since: str, now: datetime | None = None) -> Retro:
    """Return what happened since a date. Writes nothing; contacts no engine and no network.

    Raises ``SpecError`` for a date that is none or is yet to come, and ``HistoryError``.
    """
    now = now or datetime.now(UTC)
    start = moment(parse_since(since))
    if start > now:
        raise SpecError(
            "--since is yet to come", found=since, expected=f"a day until {now:%Y-%m-%d}"
        )
    names = [environment_name(project, name)] if name is not None else _names(project)
    histories = {one: readable_history(project, one) for one in names}
    found = [
        drift
        for one, past in histories.items()
        for drift in drifts(one, past, start, _suspects(project, one))
    ]
    found.sort(key=lambda one: (one.began, one.environment, one.class_))
    unchecked = [item for one, past in histories.items() for item in _never_checked(one, past)]
    entries = [one for past in histories.values() for one in past.entries]
    recent = [one for one in entries if moment(one.date) >= start]
    kinds = Counter(one.kind for one in recent)
    return Retro(
        since=start,
        now=now,
        environments=tuple(names),
        generations=kinds["generation"],
        checks=kinds["check"],
        drifts=tuple(found),
        returns=tuple(
            sorted(
                (item for one, past in histories.items() for item in returns(one, past, start)),
                key=lambda item: item.date,
            )
        ),
        deviations=tuple(_deviations(project, histories, start, now.date())),
        never_checked=tuple(item for item in unchecked if item.date >= start),
        older_never_checked=sum(1 for item in unchecked if item.date < start),
        costs=costs(found, now),
        runs=_runs(project, names, start),
    )


def costs(found: Sequence[Drift], now: datetime) -> tuple[Cost, ...]:
    """Return the likeliest cause of each drift with the time that it took, the dearest first."""
    times: dict[str, list[timedelta]] = defaultdict(list)
    for drift in found:
        times[drift.causes[0].partition(": ")[0]].append(drift.open_for(now))
    rows = (Cost(name, len(each), sum(each, timedelta())) for name, each in times.items())
    return tuple(sorted(rows, key=lambda one: (-one.time, one.factor)))


def _names(project: Project) -> list[str]:
    """Return the environments that have a spec or a history. Raises ``SpecError`` without any."""
    with_history = {path.parent.name for path in (project.root / LOCKS).glob(f"*/{FOLDER}")}
    found = sorted({*environment_names(project.root), *with_history})
    if not found:
        load_environment(project.root, None)  # raises: there is no spec
    return found


def _suspects(project: Project, name: str) -> Callable[[str, str], Sequence[str]]:
    folder = project.root / LOCKS / name

    def suspects(old: str, new: str) -> list[str]:
        try:
            diff = diff_locks(archived(folder, old).lock, archived(folder, new).lock)
        except FreezerError:
            return []  # `freeze log --verify` says why
        likely = [one for one in assess(diff) if one.level in _COUNTED]
        return [f"{one.what} ({one.level}: {one.why})" for one in likely[:_MOST_CAUSES]]

    return suspects


def _never_checked(name: str, past: History) -> Iterator[NeverChecked]:
    """Yield generations whose lock no check looked at, in this or another generation."""
    checked = {one.lock_id for one in past.entries if one.kind == "check"}
    for one in past.generations:
        if one.lock_id not in checked:
            yield NeverChecked(name, one.number, moment(one.date), one.summary)


def _deviations(
    project: Project, histories: dict[str, History], since: datetime, today: date
) -> Iterator[KnownDeviation]:
    policy = load_policy(project)
    for one in policy.deviations if policy is not None else ():
        where = f" in {', '.join(one.environments)}" if one.environments else ""
        what = f"{one.rule}: {one.subject or 'all that the rule finds'}{where}"
        yield KnownDeviation("policy", what, one.reason, one.owner, one.until, one.until < today)
    for stated in policy.statements if policy is not None else ():
        expired = stated.until is not None and stated.until < today
        what = f"{stated.vulnerability}: {stated.status}"
        yield KnownDeviation(
            "vulnerability", what, stated.reason, stated.owner, stated.until, expired
        )
    for name, past in histories.items():
        yield from _accepted(project, name, today)
        for generation in past.generations:
            if generation.deviation and moment(generation.date) >= since:
                yield _forced(name, generation)


def _accepted(project: Project, name: str, today: date) -> Iterator[KnownDeviation]:
    """Yield what the spec of an environment accepts; nothing where there is no readable spec."""
    try:
        spec = load_environment(project.root, name).spec
    except FreezerError:
        return
    for one in spec.determinism.accept:
        until = date.fromisoformat(one.until) if one.until else None
        expired = until is not None and until < today
        yield KnownDeviation(
            "nondeterminism", f"{one.factor} in {name}", one.reason, one.owner, until, expired
        )


def _forced(name: str, one: Generation) -> KnownDeviation:
    what = f"{name} generation {one.number}: made current against a verdict"
    return KnownDeviation("rollback", what, one.reason or "", one.who, None, expired=False)


def _runs(project: Project, names: Sequence[str], since: datetime) -> RunsSeen:
    """Return what the ledger has since then; nothing, with a warning, where it cannot be read."""
    if not has_ledger(project):
        return RunsSeen(0, {}, 0.0, {})
    from freezer.flows.runs.queries import find  # loads SQLAlchemy

    start = Time(int(since.timestamp()) * 1_000_000)
    try:
        found = find(project, f"started >= '{since:%Y-%m-%dT%H:%M:%SZ}'").runs
        runs = [run for run in found if run.environment in names and run.started >= start]
        again = Counter(_again(project, runs))
    except LedgerError as error:
        project.report.warn(f"runs are left out: {error.what}")
        runs, again = [], Counter()
    return RunsSeen(
        made=len(runs),
        states=dict(sorted(Counter(run.state for run in runs).items())),
        seconds=sum(run.seconds or 0.0 for run in runs),
        again=dict(sorted(again.items())),
    )


def _again(project: Project, runs: Sequence[Run]) -> Iterator[str]:
    """Yield the verdict of each run that made another one again, as `runs reproduce` gives it."""
    from freezer.errors import QueryError
    from freezer.flows.runs.explain.divergence import results
    from freezer.flows.runs.ledger import project_ledger
    from freezer.flows.runs.repeat.reproduce import verdict_of
    from freezer.ledger import query

    again = [run for run in runs if "reproduces" in run.links and run.state != "running"]
    if not again:
        return
    with project_ledger(project, reading=True) as ledger:
        for run in again:
            try:
                original = query.get(ledger, run.links["reproduces"])
            except QueryError:
                yield "original not here"
                continue
            series = (query.all_points(ledger, one.id) for one in (original, run))
            compared = results(original, run, next(series), next(series))
            yield verdict_of(original, run, compared)[0]
