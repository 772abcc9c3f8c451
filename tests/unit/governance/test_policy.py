"""Every rule of a policy: an environment that breaks it, the mended one, deviations, statements."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import SpecError
from freezer.governance.licenses.expression import Licenses
from freezer.governance.policy import model, read
from freezer.governance.policy.evaluate import evaluate
from freezer.governance.policy.facts import Facts, Violation
from freezer.governance.policy.model import Policy
from freezer.governance.policy.osv import Database
from freezer.governance.policy.packages import parse_package_rule
from freezer.governance.policy.read import parse_policy
from freezer.model.base import Model
from freezer.model.generation import Checked, Generation
from freezer.model.lock import Accelerator, Component, PipPackage
from freezer.model.record.verdict import Word
from freezer.model.spec.spec import Spec
from tests.support.project.locks import make_lock, sha

NOW = datetime(2026, 11, 30, tzinfo=UTC)
LOCK_ID = "a" * 64
IMAGE = f"sha256:{'b' * 64}"


def package(name: str, version: str, **more: Any) -> PipPackage:
    return PipPackage(
        source="pypi", file=f"{name}.whl", size=1, sha256=sha("1" if name == "numpy" else "2"),
        name=name, version=version, requested=True, reason="asked for", **more,
    )  # fmt: skip


def lock(**changes: Any) -> Any:
    given: dict[str, Any] = {
        "pip": (package("numpy", "2.1.0"), package("left-pad", "1.0")),
        "as_of": "2026-11-01T00:00:00Z",
        "accelerator": Accelerator(cuda="12.4", driver=">=540"),
        "components": (
            Component(role="blas", name="OpenBLAS", version="0.3", provider="pip:numpy"),
        ),
    }
    return make_lock(**{**given, **changes})


def generation(number: int, reason: str | None, **more: Any) -> Generation:
    given = {"action": "lock", "lock_id": LOCK_ID, **more}
    return Generation(
        number=number, date="2026-11-01T00:00:00Z", summary="x", reason=reason, **given
    )


def check(day: str, word: Word, class_: str = "x86-64-v3") -> Checked:
    return Checked.model_validate(
        {"date": f"2026-11-{day}T00:00:00Z", "generation": 1, "lock-id": LOCK_ID, "class": class_,
         "word": word.value, "image": IMAGE, "cpu": "a CPU"}
    )  # fmt: skip


def spec(**accept: str) -> Spec:
    document = {
        "name": "demo", "base": {"bootstrap": "bookworm"}, "python": "3.11",
        "determinism": {"accept": [{"factor": "race", "reason": "x", "date": "2026-01-01", **accept}]},
    }  # fmt: skip
    return Spec.model_validate(document)


def facts(**changes: Any) -> Facts:
    given: dict[str, Any] = {
        "name": "demo", "lock": lock(), "lock_id": LOCK_ID, "now": NOW, "spec": spec(),
        "licenses": {sha("1"): Licenses("BSD-3-Clause"), sha("2"): Licenses("WTFPL OR MIT")},
        "generations": (generation(1, None), generation(2, None)),
    }  # fmt: skip
    return Facts(**{**given, **changes})


def osv(package_name: str = "numpy", fixed: str = "2.2", **more: Any) -> Database:
    import json

    database = Database()
    record = {
        "id": "PYSEC-1", "aliases": ["CVE-2026-1"], "summary": "a flaw",
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [{"package": {"ecosystem": "PyPI", "name": package_name},
                      "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]}],
        **more,
    }  # fmt: skip
    database.add(json.dumps(record).encode())
    return database


BREACHES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    # Rule, its setting, and the facts that mend it.
    ("bases", {"bases": ["registry.example/*"]}, {}),
    ("sources", {"sources": ["debian"]}, {"lock": lock(pip=())}),
    ("licenses", {"licenses": {"allow": ["BSD-3-Clause"], "ecosystems": ["pip"]}},
     {"licenses": {sha("1"): Licenses("BSD-3-Clause"), sha("2"): Licenses("WTFPL OR BSD-3-Clause")}}),
    ("max-age", {"max-age": "3w"}, {"lock": lock(as_of="2026-11-20T00:00:00Z")}),
    ("banned", {"banned": ["pip:Left_Pad<2"]}, {"lock": lock(pip=(package("left-pad", "2.0"),))}),
    ("required", {"required": ["pip:scipy>=1"]}, {"lock": lock(pip=(package("scipy", "1.1"),))}),
    ("versions", {"versions": ["pip:numpy>=2.2,<3"]}, {"lock": lock(pip=(package("numpy", "2.2.1"),))}),
    ("min-driver", {"min-driver": "550.54"}, {"lock": lock(accelerator=Accelerator(cuda="12.4", driver=">=550.54.14"))}),
    ("checked", {"checked": "30d"}, {"checks": (check("20", Word.IDENTICAL),)}),
    ("verified", {"verified": True}, {"rebuilt": True}),
    ("signed", {"signed": {"keys": ["team.pub"]}}, {"signers": ("SHA256:x",)}),
    ("reasons", {"reasons": True}, {"lock": lock(pip=(package("numpy", "2.1.0").model_copy(update={"reason": "asked for; why: speed"}),))}),
    ("plans", {"plans": True}, {"generations": (generation(1, None), generation(2, None, plan=sha("c")))}),
    ("nondeterminism", {"nondeterminism": True}, {"spec": spec(owner="me", until="2026-12-31")}),
    ("vulnerabilities", {"vulnerabilities": {"database": "osv"}}, {"lock": lock(pip=(package("numpy", "2.2.0"),))}),
]  # fmt: skip


def judged(policy: dict[str, Any], **changes: Any) -> tuple[Violation, ...]:
    return evaluate(Policy.model_validate(policy), facts(**changes), osv())


@pytest.mark.parametrize(("rule", "setting", "mended"), BREACHES, ids=[row[0] for row in BREACHES])
def test_each_rule_is_broken_and_mended(
    rule: str, setting: dict[str, Any], mended: dict[str, Any]
) -> None:
    found = judged({"rules": setting})
    assert {violation.rule for violation in found} == {rule}
    assert all(violation.breaks and violation.hint and violation.expected for violation in found)
    if rule == "bases":
        setting = {"bases": ["registry.example/*", "debian*", "bootstrap:*"]}
    assert judged({"rules": setting}, **mended) == ()


def test_all_fifteen_at_once() -> None:
    rules: dict[str, Any] = {}
    for _, setting, _ in BREACHES:
        rules |= setting
    found = judged({"rules": rules})
    assert {violation.rule for violation in found} == {row[0] for row in BREACHES}
    assert len(BREACHES) == 15
    assert judged({"rules": {}}) == ()


@pytest.mark.parametrize(
    ("rule", "more", "found"),
    [
        (True, {}, "no plan"),
        (True, {"reason": "try it"}, "no plan"),
        (True, {"plan": sha("c")}, None),
        (True, {"lock_id": sha("d")}, None),
        (True, {"action": "rollback"}, "no reason recorded"),
        (True, {"action": "rollback", "reason": "drift"}, None),
        (True, {"action": "merge", "reason": "both"}, None),
        ("reason", {}, "no reason recorded"),
        ("reason", {"plan": sha("c")}, "no reason recorded"),
        ("reason", {"reason": "try it"}, None),
        (False, {}, None),
    ],
)
def test_a_new_generation_has_a_plan_or_a_reason(
    rule: bool | str, more: dict[str, Any], found: str | None
) -> None:
    last = generation(2, more.pop("reason", None), **more)
    violations = judged(
        {"rules": {"plans": rule}},
        generations=(generation(1, None), last),
        planned=frozenset({sha("d")}),
    )
    assert [one.found for one in violations] == ([found] if found else [])


def test_checks_are_judged_by_age_and_by_the_last_word_of_each_class() -> None:
    rules = {"rules": {"checked": "7d"}}
    assert judged(rules, checks=(check("20", Word.IDENTICAL),))[0].found == "10 days ago"
    assert judged(rules, checks=(check("29", Word.DRIFTED),))[0].found == "last verdict: drifted"
    later = (check("28", Word.IDENTICAL), check("29", Word.DRIFTED))
    assert [one.subject for one in judged(rules, checks=later)] == ["x86-64-v3"]
    other = (check("28", Word.DRIFTED), check("29", Word.IDENTICAL))
    assert judged(rules, checks=other) == ()


def test_a_deviation_needs_an_owner_and_holds_until_its_day() -> None:
    deviation = {"rule": "banned", "subject": "pip:left-pad", "reason": "x", "owner": "me"}
    rules = {"banned": ["pip:left-pad", "pip:numpy"]}
    found = judged({"rules": rules, "deviations": [{**deviation, "until": "2026-11-30"}]})
    assert [(one.subject, one.breaks) for one in found] == [
        ("pip:left-pad", False),
        ("pip:numpy", True),
    ]
    late = judged({"rules": rules, "deviations": [{**deviation, "until": "2026-11-29"}]})
    assert [one.breaks for one in late] == [True, True]
    assert late[0].expired
    other = {**deviation, "until": "2027-01-01", "environments": ["another"]}
    assert all(one.breaks for one in judged({"rules": rules, "deviations": [other]}))


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ({"vulnerability": "CVE-2026-1", "status": "not_affected"}, 0),
        ({"vulnerability": "PYSEC-1", "status": "fixed", "until": "2026-11-30"}, 0),
        ({"vulnerability": "PYSEC-1", "status": "fixed", "until": "2026-11-29"}, 1),
        ({"vulnerability": "PYSEC-1", "status": "under_investigation"}, 1),
        ({"vulnerability": "PYSEC-2", "status": "not_affected"}, 1),
        ({"vulnerability": "PYSEC-1", "status": "not_affected", "packages": ["pip:numpy<2.1"]}, 1),
        ({"vulnerability": "PYSEC-1", "status": "not_affected", "packages": ["pip:numpy<2.2"]}, 0),
    ],
)
def test_statements_about_vulnerabilities(statement: dict[str, Any], count: int) -> None:
    policy = {
        "rules": {"vulnerabilities": {"database": "osv", "severity": "critical"}},
        "statements": [{**statement, "reason": "x", "owner": "me"}],
    }
    assert len(judged(policy)) == count


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("rules: {bannned: [x]}", "bannned"),
        ("rules: {banned: [numpy]}", "pip:numpy"),
        ("rules: {banned: ['pip:numpy=>2']}", "pip:numpy"),
        ("rules: {max-age: soon}", "90d"),
        ("rules: {checked: 10}", "90d"),
        ("rules: {licenses: {allow: []}}", "allow"),
        ("deviations: [{rule: banned, reason: x, owner: y}]", "until"),
        ("deviations: [{rule: banned, reason: x, owner: y, until: soon}]", "2026-12-31"),
        ("deviations: [{rule: other, reason: x, owner: y, until: '2026-01-01'}]", "rule"),
        ("enforce: [push]", "enforce"),
        ("rules: {plans: maybe}", "true, or reason"),
        ("rules: {baned: []}", "did you mean 'banned'?"),
        ("rules: {licenses: {alow: [MIT]}}", "did you mean 'allow'?"),
        ("deviations: [{rle: banned}]", "did you mean 'rule'?"),
        ("statements: [{status: fixed, becuase: x}]", "policy.yaml:1 (statements[0].becuase)"),
        ("rule: {}", "did you mean 'rules'?"),
        ("rules: []", "a mapping of rules"),
        ("- x", "mapping"),
        ("rules: [", "not valid YAML"),
    ],
)
def test_a_fault_is_named_with_its_line(text: str, key: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_policy(text.encode(), "policy.yaml")
    assert key in str(caught.value)
    assert "policy.yaml" in str(caught.value)


def test_every_part_of_a_policy_is_described() -> None:
    parts = {
        one for one in vars(model).values() if isinstance(one, type) and issubclass(one, Model)
    }
    assert set(read._POLICY.sections.values()) == parts - {Model}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_an_error_of_freezer(data: bytes) -> None:
    with suppress(SpecError):
        assert isinstance(parse_policy(data, "policy.yaml"), Policy)


@pytest.mark.parametrize(
    ("text", "version", "holds"),
    [
        ("pip:x>=2", "10.0", True),
        ("pip:x<2", "2.0rc1", True),
        ("debian:x>=1:2.0", "3.0", False),
        ("debian:x<2.0", "2.0~rc1", True),
        ("conda:x>=2024.1,<2025", "2024.2.1", True),
        ("pip:x", "0", True),
        ("pip:x != 1.0", "1.0", False),
    ],
)
def test_versions_compare_by_the_order_of_their_ecosystem(
    text: str, version: str, holds: bool
) -> None:
    assert parse_package_rule(text).holds(version) is holds


def test_records_are_about_versions_and_ranges() -> None:
    from freezer.governance.policy.osv import matches

    def found(version: str, **affected: Any) -> bool:
        one = {"package": {"ecosystem": "PyPI", "name": "NumPy"}, **affected}
        database = osv(affected=[one])
        return bool(list(matches(lock(pip=(package("numpy", version),)), database)))

    ranges = [{"type": "ECOSYSTEM", "events": [
        {"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"last_affected": "2.3"},
    ]}]  # fmt: skip
    within = {"0.9": False, "1.0": True, "1.4.9": True, "1.5": False, "2.0": True, "2.3": True,
              "2.3.1": False}  # fmt: skip
    for version, expected in within.items():
        assert found(version, ranges=ranges) is expected, version
    assert found("7.7", versions=["7.7"])
    assert not found("7.8", versions=["7.7"])
    assert not list(matches(lock(), osv(withdrawn="2026-01-01T00:00:00Z")))


def test_debian_records_are_about_source_packages() -> None:
    from freezer.governance.policy.osv import matches
    from freezer.model.lock import DebianPackage

    libssl = DebianPackage(
        source="debian", file="pool/main/o/openssl/libssl3_3.0.1-1+b2_amd64.deb", size=1,
        sha256=sha("3"), name="libssl3", version="3.0.1-1+b2", architecture="amd64", reason="x",
    )  # fmt: skip

    def found(ecosystem: str, fixed: str) -> bool:
        events = [{"introduced": "0"}, {"fixed": fixed}]
        one = {"package": {"ecosystem": ecosystem, "name": "openssl"},
               "ranges": [{"type": "ECOSYSTEM", "events": events}]}  # fmt: skip
        return bool(list(matches(lock(debian=(libssl,)), osv(affected=[one]))))

    assert found("Debian:12", "3.0.1-1+deb12u1")
    assert found("Debian", "3.0.2-1")
    assert not found("Debian:12", "3.0.1-1")  # a rebuild is no older than what it was built from
    assert not found("Debian:11", "3.0.2-1")
