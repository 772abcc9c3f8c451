"""Verdicts on results of hosts, by the references next to the lock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.check.assess import verdict_by
from freezer.check.cause.measured import fitting_causes
from freezer.check.cause.recorded import recorded_causes
from freezer.check.compare.compare import incomparable
from freezer.check.invariants.hold import in_check, with_outcomes
from freezer.check.reference import all_references
from freezer.check.smoke import read_record, with_kill_explained
from freezer.engine.interface import RunResult
from freezer.errors import CheckError, FreezerError
from freezer.fleet.matrix import Row
from freezer.fleet.state import State
from freezer.flows.check.expectations import expectations_of
from freezer.flows.check.own_sources import own_sources
from freezer.flows.history.recorded import ensure_references
from freezer.flows.project.environment import read_lock
from freezer.model.record.host_line import parse_host
from freezer.model.record.verdict import Verdict, Word
from freezer.model.record.word import CHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.fleet.request import FleetEnvironment
    from freezer.fleet.result import HostResult
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project
    from freezer.model.record.record import Host, Record
    from freezer.model.spec.expect import Expectation

_KEPT: Final = 256
"""Verdicts that are kept for hosts with the same results."""
_OTHER_LOCK: Final = "the project has another lock than the one that was checked"


@dataclass(frozen=True)
class Judged:
    """A verdict and what it says in a line."""

    state: State
    verdict: Verdict | None
    causes: tuple[str, ...] = ()


class Judge:
    """Compares results of one environment with its references; equal results are compared once."""

    def __init__(self, project: Project, environment: FleetEnvironment) -> None:
        """Read references and expectations.

        Raises ``CheckError`` for a reference that cannot be read, ``HistoryError`` for one that was
        exchanged.
        """
        self._environment = environment
        self._project = project
        self._measured: tuple[str, ...] | None = None
        locked = read_lock(project.root, environment.name)
        self._locked = locked if locked is not None and locked.id == environment.lock_id else None
        self._references: Mapping[str, Record] = {}
        self._expected: Mapping[str, Expectation] = {}
        if self._locked is not None:
            ensure_references(project, self._locked)
            references = all_references(self._locked.folder, self._locked.id)
            self._references = {one.host.class_: one for one in references}
            self._expected = expectations_of(project, self._locked)
        self._known: dict[tuple[str, str, str], Judged] = {}

    @property
    def locked(self) -> Locked | None:
        """The lock that was checked; None when the project has another one now."""
        return self._locked

    def row(self, result: HostResult, job: str) -> Row:
        """Return the row of a host whose result counts."""
        host, fingerprint = parse_host(result.lines), result.fingerprint()
        key = (fingerprint, "" if host is None else host.model_dump_json(), str(result.exit))
        judged = self._known.get(key)
        if judged is None:
            judged = self._judge(result)
            if len(self._known) < _KEPT:
                self._known[key] = judged
        first = None
        if judged.verdict is not None:
            first = next((one.first for one in judged.verdict.trainings if one.first), None)
        return Row(
            host=result.host,
            environment=result.environment,
            state=judged.state,
            class_=host.class_ if host else "",
            fingerprint=fingerprint,
            facts={**result.facts, "runtime": result.runtime, **_host_facts(host)},
            runtime=result.runtime,
            seconds=result.seconds,
            job=job,
            attempt=result.attempt,
            difference=first,
            causes=judged.causes,
        )

    def record(self, result: HostResult) -> Record:
        """Return the record in a result. Raises ``CheckError`` when there is none."""
        if self._locked is None:
            raise CheckError(f"{self._environment.name}: {_OTHER_LOCK}")
        lock = self._locked.lock
        how = RunResult(
            result.exit or 0,
            b"",
            result.errors.encode(),
            result.timed_out,
            result.out_of_memory,
            result.seconds,
        )
        lines, names = result.record_lines(), self._environment.trainings
        found = read_record(lock, self._locked.id, result.image, names, lines, how)
        host = found.host.model_copy(update={"engine": result.runtime})
        trainings = tuple(with_kill_explained(one, lock) for one in found.trainings)
        return found.model_copy(update={"host": host, "trainings": trainings})

    def _judge(self, result: HostResult) -> Judged:
        if self._locked is None:
            return Judged(State(Word.NOT_COMPARABLE, reason=_OTHER_LOCK), None)
        try:
            found = self.record(result)
        except CheckError as error:
            return Judged(State(Word.FAILED, reason=f"{error.what}: {error.found or ''}"), None)
        reference = self._references.get(found.host.class_)
        if reference is None:
            verdict = incomparable(found, f"no reference of class {found.host.class_}")
        else:
            verdict = verdict_by(reference, found)
        if self._expected:
            verdict = with_outcomes(verdict, in_check(self._expected, found))
        causes = () if reference is None else self._causes(reference, found, verdict)
        return Judged(State(verdict.word, reason=_reason(verdict)), verdict, causes)

    def _causes(self, reference: Record, found: Record, verdict: Verdict) -> tuple[str, ...]:
        """Return likely causes of a change; no host runs anything again for them."""
        if verdict.word not in CHANGED:
            return ()
        if self._measured is None:
            self._measured = self._fitting()
        return recorded_causes(reference, found, verdict, self._measured)

    def _fitting(self) -> tuple[str, ...]:
        """Return measured effects that fit a training of the user's own."""
        if self._locked is None or not self._locked.lock.smoke.command:
            return ()
        lock = self._locked.lock
        try:
            return fitting_causes(lock, own_sources(self._project, lock))
        except FreezerError as error:
            self._project.report.warn(f"the training's files cannot be read: {error.what}")
            return ()


def _reason(verdict: Verdict) -> str:
    """Return the verdict's reason in a line: of the first training that has that word."""
    for one in verdict.trainings:
        if one.word is not verdict.word or verdict.word is Word.IDENTICAL:
            continue
        if one.reason:
            return f"{one.training}: {one.reason.splitlines()[0]}"
        if one.first is not None:
            count = f"{one.first.differing} of {one.first.of} observations differ"
            return f"{one.training} differs first in {one.first.what}; {count}"
    return ""


def _host_facts(host: Host | None) -> dict[str, str]:
    if host is None:
        return {}
    facts = {
        "cpu model name": host.cpu,
        "flags": " ".join(host.flags),
        "blas-kernels": " ".join(host.blas_kernels),
        "blas": "; ".join(host.blas),
        "gpus": "; ".join(host.gpus),
        "libc": host.libc,
        "kernel": host.kernel,
        "settings": " ".join(f"{name}={value}" for name, value in sorted(host.settings.items())),
    }
    return {name: value for name, value in facts.items() if value}
