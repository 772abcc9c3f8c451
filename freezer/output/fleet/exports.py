"""A fleet for other programs: JUnit XML for CI systems, Prometheus text for monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from freezer.errors import printable
from freezer.output.junit import Case, Suite, junit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.fleet.matrix import Row
    from freezer.flows.fleet.gather import Fleet


def _good(row: Row) -> float:
    return float(row.state.good)


def _checked(row: Row) -> float:
    return float(row.state.word is not None)


def _seconds(row: Row) -> float:
    return row.seconds


_METRICS: Final = (
    ("freezer_host_good", "Whether the environment gives its expected results.", _good),
    ("freezer_host_checked", "Whether the host has a verdict.", _checked),
    ("freezer_host_seconds", "Seconds that the trainings took.", _seconds),
)


def junit_xml(fleet: Fleet) -> bytes:
    """Return a test for each host and environment; one that was not checked has failed too."""
    suites = [
        Suite(
            f"freeze check {one.name} --on {fleet.request.target}",
            [_case(row) for row in fleet.rows if row.environment == one.name],
        )
        for one in fleet.request.environments
    ]
    return junit(suites)


def prometheus_text(fleet: Fleet) -> str:
    """Return the fleet in Prometheus' text format, for the node exporter's textfile collector."""
    return "".join(f"{line}\n" for line in _lines(fleet))


def _lines(fleet: Fleet) -> Iterator[str]:
    for name, text, value in _METRICS:
        yield f"# HELP {name} {text}"
        yield f"# TYPE {name} gauge"
        for row in fleet.rows:
            yield f"{name}{_labels(_of_row(row))} {value(row):g}"
    yield "# HELP freezer_fleet_start_time_seconds When the fleet was started."
    yield "# TYPE freezer_fleet_start_time_seconds gauge"
    labels = {"fleet": fleet.id, "target": fleet.request.target}
    yield f"freezer_fleet_start_time_seconds{_labels(labels)} {fleet.request.created}"


def _of_row(row: Row) -> Mapping[str, str]:
    state = row.state.title
    return {"host": row.host, "environment": row.environment, "class": row.class_, "state": state}


def _labels(values: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items()) + "}"


def _escaped(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


def _case(row: Row) -> Case:
    if row.state.good:
        return Case(row.class_ or "unknown", row.host, "passed")
    first = row.difference
    values = (f"expected: {first.expected}", f"found: {first.found}") if first else ()
    details = "\n".join((*values, *(f"likely cause: {cause}" for cause in row.causes)))
    message = f"{row.state.title}: {row.state.reason}" if row.state.reason else row.state.title
    return Case(row.class_ or "unknown", row.host, "failed", message, details)
