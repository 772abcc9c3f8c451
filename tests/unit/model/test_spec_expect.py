"""`expect` in a spec: what it takes, and each fault with file, line and key."""

from __future__ import annotations

import pytest

from freezer.errors import SpecError
from freezer.model.spec.expect import Expectation
from freezer.model.spec.schema import spec_schema
from freezer.model.spec.validate import parse_spec

HEAD = "name: demo\nbase: {bootstrap: bookworm}\npython: '3.11'\nexpect:\n"


def expectation(text: str) -> Expectation:
    spec, _ = parse_spec(f"{HEAD}  it: {text}\n".encode(), "freeze.yaml", ["torch"])
    return spec.expect["it"]


def fault(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        expectation(text)
    return str(caught.value)


def test_short_forms_are_widened() -> None:
    assert (
        expectation("{monotone: falling}").monotone
        == expectation("{monotone: {direction: falling, window: 1, tolerance: 0}}").monotone
    )
    assert expectation("{floor: 1e-3}").floor == 0.001
    assert expectation("{range: [0, any]}").range == (0.0, "any")
    assert expectation("{shape: [any, 10]}").shape == ("any", 10)
    shares = expectation("{classes: {shares: {0: 0.25, yes: 0.75}}}").classes
    assert shares is not None
    assert shares.shares == {"0": 0.25, "yes": 0.75}


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("{}", "(expect.it)", "at least one of finite, range"),
        ("{optional: true}", "(expect.it)", "at least one of finite, range"),
        ("3", "(expect.it)", "a mapping, such as"),
        ("{flor: 0.9}", "(expect.it.flor)", "did you mean 'floor'?"),
        ("{floor: true}", "(expect.it.floor)", "a finite number"),
        ("{floor: .nan}", "(expect.it.floor)", "a finite number"),
        ("{floor: .inf}", "(expect.it.floor)", "a finite number"),
        ("{floor: many}", "(expect.it.floor)", "a finite number"),
        (f"{{floor: 1{'0' * 60}}}".replace("0" * 60, "0" * 400), "(expect.it.floor)", "found"),
        ("{floor: 2, ceiling: 1}", "(expect.it)", "'floor' is above 'ceiling'"),
        ("{range: [1, 0]}", "(expect.it.range)", "the least and the greatest value"),
        ("{range: [1]}", "(expect.it.range)", "the least and the greatest value"),
        ("{range: [0, 1, 2]}", "(expect.it.range)", "the least and the greatest value"),
        ("{monotone: up}", "(expect.it.monotone)", "falling, rising"),
        ("{monotone: {direction: up}}", "(expect.it.monotone.direction)", "falling or rising"),
        ("{monotone: {window: 0}}", "(expect.it.monotone.window)", "from 1"),
        ("{monotone: {tolerance: 2}}", "(expect.it.monotone.tolerance)", "from 0 to 1"),
        ("{monotone: {size: 2}}", "(expect.it.monotone.size)", "unknown key"),
        ("{shape: [1.5]}", "(expect.it.shape[0])", "the sizes of a tensor"),
        ("{shape: [-1]}", "(expect.it.shape[0])", "the sizes of a tensor"),
        ("{shape: 3}", "(expect.it.shape)", "the sizes of a tensor"),
        ("{classes: {}}", "(expect.it.classes)", "or nothing is expected"),
        ("{classes: {min-share: 2}}", "(expect.it.classes.min-share)", "a share from 0 to 1"),
        ("{classes: {max-share: x}}", "(expect.it.classes.max-share)", "a share from 0 to 1"),
        ("{classes: {shares: {a: 0.5, b: 0.9}}}", "(expect.it.classes)", "these add up to 1.4"),
        ("{classes: {shares: {a: 0.5}}}", "(expect.it.classes)", "these add up to 0.5"),
        ("null", "(expect.it)", "found:    nothing"),
        ("{classes: {shares: {cat: 2}}}", "(expect.it.classes.shares.cat)", "1"),
        ("{finite: true, in: ci}", "(expect.it.in)", "run, check or both"),
    ],
)  # fmt: skip
def test_a_fault_has_its_line_its_key_and_what_was_expected(
    text: str, place: str, part: str
) -> None:
    message = fault(text)
    assert f"freeze.yaml:5 {place}" in message
    assert part in message


@pytest.mark.parametrize(
    "shares",
    [
        "{a: 0.333333, b: 0.333333, c: 0.333334}",
        "{a: 0.5}, tolerance: 0.01",
        "{a: 0.5, b: 0.52}, tolerance: 0.01",
    ],
)
def test_shares_that_a_split_can_have_are_accepted(shares: str) -> None:
    assert expectation(f"{{classes: {{shares: {shares}}}}}").classes is not None


def test_a_name_of_no_characters_is_refused_as_a_name() -> None:
    with pytest.raises(SpecError, match="unusable name ''") as caught:
        parse_spec(f'{HEAD}  "": {{finite: true}}\n'.encode(), "freeze.yaml", ["torch"])
    assert "at least one character" in str(caught.value)


def test_a_name_that_no_terminal_may_get_is_refused() -> None:
    with pytest.raises(SpecError):
        parse_spec(f'{HEAD}  "a\\u001b": {{finite: true}}\n'.encode(), "freeze.yaml", ["torch"])


def test_the_schema_describes_every_rule() -> None:
    schema = spec_schema(["torch"])
    for name in ("Expectation", "MonotoneExpect", "ClassesExpect"):
        rules = schema["$defs"][name]["properties"]
        undescribed = [rule for rule, one in rules.items() if "description" not in one]
        assert undescribed in ([], ["direction"])
    assert "description" in schema["properties"]["expect"]
