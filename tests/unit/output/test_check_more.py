"""Output of checks of images and of all generations, and of audits: text and documents."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from freezer.check.assess import Assessment
from freezer.check.audit.documented import Note
from freezer.check.audit.effects import Effect
from freezer.check.compare.compare import compare, incomparable
from freezer.check.compare.metrics import Curve
from freezer.flows.check.audit import AuditResult
from freezer.flows.check.check_image import ImageCheck
from freezer.flows.check.result import CheckResult
from freezer.flows.compare.check_all import PastCheck, PastChecks
from freezer.flows.project.environment import Locked
from freezer.model.generation import Generation
from freezer.model.record.record import Record
from freezer.model.record.verdict import Basis
from freezer.model.spec.spec import Accepted
from freezer.output.check import all as all_output
from freezer.output.check import audit as audit_output
from freezer.output.check import image as image_output
from freezer.output.check.chart import HEIGHT, WIDTH, loss_chart
from freezer.output.text import document as text_of
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record

HOSTILE = "\x1b]0;owned\x07[red]"
ID = "ab" * 32
LOCKED = Locked(make_lock(), ID, Path("lockfiles/demo"))
IMAGE = f"sha256:{'2' * 64}"


def printed(show: Callable[[Any, Console], None], found: Any) -> str:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    show(found, console)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def facts(document: Callable[[Any], Any], found: Any) -> Any:
    return json.loads(text_of(document(found)))


def image_check(expected: Record | None, found: Record) -> ImageCheck:
    verdict = compare(expected, found) if expected else incomparable(found, "no reference")
    return ImageCheck(
        name="team/demo:v1",
        lock=LOCKED.lock,
        lock_id=ID,
        image=IMAGE,
        record=found,
        verdict=verdict,
        reference="r.json" if expected else None,
    )


def test_the_check_of_an_image_names_the_image_its_lock_and_the_reference() -> None:
    text = printed(image_output.show, image_check(record(), record()))
    said = f"identical, image {'2' * 12} of lock abababababab, against r.json"
    assert text.splitlines()[-1].endswith(said)


def test_without_a_reference_it_says_that_nothing_was_recorded() -> None:
    found = image_check(None, record())
    assert printed(image_output.show, found).splitlines()[-1].endswith("nothing was recorded")
    told = facts(image_output.document, found)
    assert (told["verdict"], told["good"], told["reference"]) == ("not comparable", False, None)
    assert (told["lock-id"], told["recorded"], told["name"]) == (ID, False, "team/demo:v1")


def test_the_document_of_an_image_has_trainings_and_causes() -> None:
    told = facts(image_output.document, image_check(record(), record(lines(data=b"other"))))
    assert told["verdict"] == "drifted"
    assert told["trainings"][0]["first"]["what"] == "data 'features'"
    assert told["causes"] == ["numpy: the data 'features' differ"]


def generation(number: int) -> Generation:
    return Generation.model_validate(
        {
            "number": number, "lock-id": f"{number}" * 64, "parents": (), "who": "Ada",
            "date": f"2026-0{number}-01T00:00:00Z", "action": "lock", "summary": "x",
        }
    )  # fmt: skip


def past_check(number: int, found: Record | None, **more: Any) -> PastCheck:
    basis = more.pop("basis", Basis.REFERENCE)
    result = None
    if found is not None:
        assessed = Assessment(
            record=found, expected=record(), verdict=compare(record(), found), basis=basis
        )
        result = CheckResult(locked=LOCKED, image=IMAGE, assessment=assessed, reference="r.json")
    values = {"why_not": None, "how": "here", "on_record": True, **more}
    return PastCheck(generations=(generation(number),), result=result, **values)


def test_every_generation_has_a_row_the_newest_first() -> None:
    checks = (
        past_check(1, record()),
        past_check(2, record(lines(loss=0.25)), why_not="drifted", how="rebuilt"),
        past_check(3, None, why_not=f"gone {HOSTILE}", how=None, on_record=None),
        past_check(4, record(), why_not="no reference", basis=Basis.TWO_RUNS, how="pulled"),
    )
    text = printed(all_output.show, PastChecks("demo", checks))
    head, fourth, third, second, first, last = text.splitlines()
    assert "generation" in head
    for row, words in (
        (fourth, ("444444444444", "2026-04-01", "pulled", "repeats")),
        (third, ("none", "not checked", "gone", "[red]")),
        (second, ("built again", "drifted")),
        (first, ("in the engine", "identical")),
    ):
        assert all(word in row for word in words), row
    assert "\x1b]0" not in text
    assert last == "demo: 1 of 4 locks still build and reproduce their results"


def test_the_document_of_all_generations_is_good_only_when_every_one_is() -> None:
    good = facts(all_output.document, PastChecks("demo", (past_check(1, record()),)))
    assert good["good"] is True
    [one] = good["locks"]
    assert (one["verdict"], one["against-reference"], one["how"]) == ("identical", True, "here")
    assert (one["generations"], one["lock-id"]) == ([1], "1" * 64)
    bad = PastChecks("demo", (past_check(1, record()), past_check(2, None, why_not="gone")))
    found = facts(all_output.document, bad)
    assert found["good"] is False
    assert (found["locks"][1]["image"], found["locks"][1]["trainings"]) == (None, [])


def effect(**changes: Any) -> Effect:
    values = {"factor": "race", "title": "4 threads", "training": "numpy", "changes": False}
    return Effect.model_validate({**values, "mitigation": "use one thread", **changes})


def audit(*effects: Effect, accepted: tuple[Accepted, ...] = ()) -> AuditResult:
    note = Note("torch 2.13.0", "scatter races", "use index_add", "https://example.org")
    return AuditResult(
        locked=LOCKED,
        image=IMAGE,
        record=record(),
        notes=(note,),
        effects=effects,
        skipped=("the C library without FMA",),
        accepted=accepted,
        seconds=12.3,
    )


def test_an_audit_says_what_each_factor_does_and_what_helps() -> None:
    first = {"first": "w1 at step 1", "relative": 3.2e-8}
    found = audit(effect(), effect(factor="libm", title="no FMA", changes=True, cost=1.4, **first))
    text = printed(audit_output.show, found)
    assert "w1 at step 1" in text
    assert "3e-08" in text
    assert "1.40 times the time" in text
    assert "no FMA: use one thread" in text
    assert "4 threads: use one thread" not in text, "it changed nothing"
    assert "no time was left for: the C library without FMA" in text
    assert "mitigation: use index_add (https://example.org)" in text
    assert text.splitlines()[-1].startswith("demo: repeats, lock abababababab, 3 runs in 12 s")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"changes": True, "fault": True}, "differ"),
        ({"failure": f"exit status 1\n{HOSTILE}"}, "failed"),
    ],
)
def test_what_does_not_repeat_is_negative(changes: dict[str, Any], word: str) -> None:
    found = audit(effect(**changes))
    text = printed(audit_output.show, found)
    assert word in text
    assert "does not repeat" in text.splitlines()[-1]
    assert "\x1b]0" not in text
    told = facts(audit_output.document, found)
    assert (told["good"], told["effects"][0]["bad"], len(told["open"])) == (False, True, 1)
    assert told["notes"][0]["about"] == "torch 2.13.0"


def test_what_is_accepted_is_said_with_its_reason() -> None:
    known = Accepted.model_validate({"factor": "race", "reason": "a forest", "date": "2026-11-01"})
    lived_with = audit(effect(changes=True, fault=True), accepted=(known,))
    assert "accepted on 2026-11-01: a forest" in printed(audit_output.show, lived_with)
    assert facts(audit_output.document, lived_with)["good"] is True
    assert "but no longer found: race" in printed(audit_output.show, audit(accepted=(known,)))


def test_a_chart_stays_within_its_frame_and_marks_the_first_difference() -> None:
    steps = (1, 2, 3)
    curve = Curve(
        name="loss", steps=steps, expected=(1e308, 0.5, 0.25), found=(1e308, None, -1e308), apart=(2,)
    )  # fmt: skip
    drawing = loss_chart(curve)
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in drawing
    assert "differs from step 2" in drawing
    assert drawing.count("<polyline") == 2
    assert "nan" not in drawing
    assert "inf" not in drawing
    assert loss_chart(Curve(name="loss", steps=(), expected=(), found=())) == ""
    nothing = Curve(name="loss", steps=(1,), expected=(float("nan"),), found=(float("inf"),))
    assert loss_chart(nothing) == ""
