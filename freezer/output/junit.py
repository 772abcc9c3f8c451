"""JUnit XML: what CI systems read as the results of tests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.flows.check.result import CheckResult
    from freezer.flows.runs.run import RunDone
    from freezer.model.record.outcome import Outcome, State
    from freezer.model.record.verdict import TrainingVerdict


@dataclass(frozen=True)
class Case:
    """One test."""

    group: str
    name: str
    state: State
    message: str = ""
    """Why it failed or was skipped, in one line."""
    details: str = ""


@dataclass(frozen=True)
class Suite:
    """Some tests: a check, or a run."""

    name: str
    cases: Sequence[Case]
    seconds: float | None = None


def junit(suites: Iterable[Suite]) -> bytes:
    """Return test suites as JUnit XML; a training's own text is made printable."""
    top = ET.Element("testsuites", {"name": "freeze"})
    for suite in suites:
        top.append(_suite(suite))
    ET.indent(top)
    data: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def joined(documents: Iterable[bytes]) -> bytes:
    """Return the suites of several documents of `junit` as one."""
    top = ET.Element("testsuites", {"name": "freeze"})
    for one in documents:
        top.extend(ET.fromstring(one))  # noqa: S314 - written by `junit`
    ET.indent(top)
    data: bytes = ET.tostring(top, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def of_check(result: CheckResult) -> Suite:
    """Return a check as tests: each training, and each expectation of the spec."""
    trainings = [_training(one) for one in result.verdict.trainings]
    return Suite(
        f"freeze check {result.locked.lock.name}",
        [*trainings, *(_expectation(one) for one in result.outcomes)],
    )


def of_run(done: RunDone) -> Suite:
    """Return a run as tests: how the command ended, and each expectation of the spec."""
    run = done.run
    ended = Case(
        "command",
        "exit code",
        "passed" if done.exit_code == 0 else "failed",
        "" if done.exit_code == 0 else f"{run.state} with exit code {done.exit_code}",
        run.tail if done.exit_code else "",
    )
    cases = [ended, *(_expectation(one) for one in done.outcomes)]
    return Suite(f"freeze run {run.environment} {run.id}", cases, run.seconds)


def _training(one: TrainingVerdict) -> Case:
    good = one.word.value in ("identical", "equivalent")
    first, *rest = (one.reason or "").splitlines() or [""]
    if not good and not first and one.first is not None:
        first = f"differs first in {one.first.what}"
        rest = [f"expected: {one.first.expected}", f"found: {one.first.found}"]
    message = f"{one.word.value}: {first}" if first else one.word.value
    return Case(
        "training",
        one.training,
        "passed" if good else "failed",
        "" if good else message,
        "\n".join(rest),
    )


def _expectation(one: Outcome) -> Case:
    group = f"expect.{one.training}" if one.training else "expect"
    message = "" if one.state == "passed" else f"expected {one.expected}, found {one.found}"
    return Case(group, f"{one.name} {one.rule}", one.state, message)


def _suite(suite: Suite) -> ET.Element:
    states = [one.state for one in suite.cases]
    found = ET.Element(
        "testsuite",
        {
            "name": printable(suite.name),
            "tests": str(len(states)),
            "failures": str(states.count("failed")),
            "errors": "0",
            "skipped": str(states.count("skipped")),
        },
    )
    if suite.seconds is not None:
        found.set("time", f"{suite.seconds:.3f}")
    for one in suite.cases:
        found.append(_case(one))
    return found


def _case(one: Case) -> ET.Element:
    found = ET.Element("testcase", {"classname": printable(one.group), "name": printable(one.name)})
    if one.state != "passed":
        tag = "failure" if one.state == "failed" else "skipped"
        inner = ET.SubElement(found, tag, {"message": printable(one.message)})
        inner.text = "\n".join(map(printable, one.details.splitlines())) or None
    return found
