"""The outcome of a policy for other tools: JUnit XML for CI servers, SARIF for code hosts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from freezer import __version__
from freezer.governance.policy.model import POLICY_FILE

if TYPE_CHECKING:
    from freezer.flows.governance.policy import EnvironmentJudged, PolicyResult
    from freezer.governance.policy.facts import Violation

_UNUSABLE: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
"""Characters that XML 1.0 does not have."""


def junit(result: PolicyResult) -> str:
    """Return JUnit XML: a suite for each environment, a test case for each rule."""
    root = Element("testsuites", name="freeze policy check")
    for one in result.environments:
        broken = {violation.rule for violation in one.violations if violation.breaks}
        suite = SubElement(
            root, "testsuite", name=one.name, tests=str(len(result.rules)),
            failures=str(len(broken)), errors="0", skipped="0",
        )  # fmt: skip
        for rule in result.rules:
            case = SubElement(suite, "testcase", classname=f"policy.{one.name}", name=rule)
            breaking = [v for v in one.violations if v.rule == rule and v.breaks]
            if breaking:
                failure = SubElement(case, "failure", message=_text(_line(breaking[0])), type=rule)
                failure.text = _text("\n".join(_line(violation) for violation in breaking))
            excused = [v for v in one.violations if v.rule == rule and not v.breaks]
            if excused:
                output = SubElement(case, "system-out")
                output.text = _text("\n".join(f"deviation: {_line(v)}" for v in excused))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def sarif(result: PolicyResult) -> str:
    """Return SARIF 2.1.0; what a deviation covers is there, and suppressed."""
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "freeze policy check",
                        "version": __version__,
                        "rules": [{"id": rule} for rule in result.rules],
                    }
                },
                "results": [
                    _result(one, violation, result.rules)
                    for one in result.environments
                    for violation in one.violations
                ],
            }
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _result(one: EnvironmentJudged, violation: Violation, rules: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": violation.rule,
        "ruleIndex": rules.index(violation.rule),
        "level": "error",
        "message": {"text": f"{one.name}: {_line(violation)}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"lockfiles/{one.name}/freeze.lock.yaml"}
                },
                "logicalLocations": [{"fullyQualifiedName": f"{one.name}/{violation.subject}"}],
            }
        ],
    }
    deviation = violation.deviation
    if deviation is not None and not violation.expired:
        words = f"{deviation.reason} ({deviation.owner}, until {deviation.until}; {POLICY_FILE})"
        found["suppressions"] = [{"kind": "external", "justification": words}]
    return found


def _line(violation: Violation) -> str:
    return (
        f"{violation.subject}: {violation.found}; expected {violation.expected}; {violation.hint}"
    )


def _text(text: str) -> str:
    return _UNUSABLE.sub("?", text)
