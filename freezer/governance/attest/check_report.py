"""The result of a check as an attestation: this image gave these numbers on this class of hosts.

The predicate is in-toto's test result
(https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md): each training is
a test. What it has no field for is in an extension field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.governance.attest.provenance import image_name, lock_name
from freezer.governance.attest.statement import Subject, statement
from freezer.model.parsing import parse_json_strictly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.governance.attest.statement import Statement

TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
CHECK: Final = "freezer_check"
"""The extension field."""
REPORT: Final = "report"
"""Name of the subject that is the report's file."""
_RESULTS: Final = {"identical": "PASSED", "equivalent": "WARNED"}
_SHA256: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
"""Of an environment and of a class of hosts: both become part of a file's name."""
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True)
class CheckReport:
    """What ``freeze check --json`` printed."""

    environment: str
    lock_id: str
    image: str
    """The image's ID, 64 hexadecimal digits."""
    class_: str
    """The hosts' numerics class."""
    date: str
    """UTC, when the check ended."""
    verdict: str
    trainings: tuple[tuple[str, str], ...]
    """Each training with its verdict in a word."""
    host: dict[str, Any]
    numbers: tuple[dict[str, Any], ...]
    """The last loss of each curve: training, name, step, value."""


def parse_report(data: bytes) -> CheckReport:
    """Return a report's facts. Raises ``ValueError`` for what is none, and says why."""
    document = parse_json_strictly(data)
    if not isinstance(document, dict) or "verdict" not in document:
        msg = "no document of `freeze check --json`"
        raise ValueError(msg)
    trainings = document.get("trainings")
    if not isinstance(trainings, list) or not trainings:
        msg = "no trainings"
        raise ValueError(msg)
    host = document.get("host")
    found = CheckReport(
        environment=_matched(document, "environment", _NAME)[0],
        lock_id=_matched(document, "lock-id", _SHA256)[1],
        image=_matched(document, "image", _SHA256)[1],
        class_=_matched(document, "class", _NAME)[0],
        date=_matched(document, "date", _DATE)[0],
        verdict=_text(document, "verdict"),
        trainings=tuple((_text(one, "training"), _text(one, "word")) for one in trainings),
        host=host if isinstance(host, dict) else {},
        numbers=tuple(_numbers(document.get("metrics"))),
    )
    check_statement(found, "")  # raises for what UTF-8 or JSON has no form of: 1e999, "\ud800"
    return found


def check_statement(report: CheckReport, sha256: str) -> bytes:
    """Return the statement about a check; ``sha256`` is that of the report's file."""
    by_result: dict[str, list[str]] = {"PASSED": [], "WARNED": [], "FAILED": []}
    for name, word in report.trainings:
        by_result[_RESULTS.get(word, "FAILED")].append(name)
    subjects = [
        Subject(image_name(report.environment), report.image),
        Subject(lock_name(report.environment), report.lock_id),
        Subject(REPORT, sha256),
    ]
    host = {key: report.host[key] for key in ("cpu", "gpus", "level") if report.host.get(key)}
    predicate = {
        "result": _RESULTS.get(report.verdict, "FAILED"),
        "configuration": [
            {"name": lock_name(report.environment), "digest": {"sha256": report.lock_id}}
        ],
        "passedTests": by_result["PASSED"],
        "warnedTests": by_result["WARNED"],
        "failedTests": by_result["FAILED"],
        CHECK: {
            "class": report.class_,
            "date": report.date,
            "host": host,
            "numbers": list(report.numbers),
            "verdict": report.verdict,
        },
    }
    return statement(subjects, TEST_RESULT, predicate)


def differs(stated: Statement, report: CheckReport, sha256: str) -> str | None:
    """Return why a statement is not about a report; None when it is."""
    if stated.predicate_type != TEST_RESULT:
        return f"it is no check's result, but {stated.predicate_type[:200]}"
    if stated.digest_of(REPORT) != sha256:
        return "it is about another report"
    if stated.digest_of(image_name(report.environment)) != report.image:
        return "it is about another image"
    if stated.digest_of(lock_name(report.environment)) != report.lock_id:
        return "it is about another lock"
    return None


def _numbers(metrics: Any) -> Iterator[dict[str, Any]]:
    for one in _objects(metrics):
        for curve in _objects(one.get("curves")):
            values, steps = curve.get("found"), curve.get("steps")
            if not isinstance(values, list) or not isinstance(steps, list):
                continue
            pairs = [
                (step, value)
                for step, value in zip(steps, values, strict=False)
                if isinstance(value, int | float)
            ]
            if pairs:
                step, value = pairs[-1]
                names = {"training": str(one.get("training")), "name": str(curve.get("name"))}
                yield {**names, "step": step, "value": value}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(document: Any, key: str) -> str:
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, str) or not value or not value.isprintable():
        msg = f"no {key}"
        raise ValueError(msg)
    return value


def _matched(document: Any, key: str, pattern: re.Pattern[str]) -> re.Match[str]:
    found = pattern.fullmatch(_text(document, key))
    if found is None:
        msg = f"{key} {document[key][:80]!r}"
        raise ValueError(msg)
    return found
