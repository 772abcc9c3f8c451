"""A fleet as text, JSON, JUnit XML, Prometheus text and a page, whatever hosts wrote."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from typing import Any

from freezer.fleet.matrix import Row
from freezer.fleet.state import Cause, State, not_checked
from freezer.flows.fleet.gather import Fleet
from freezer.model.record.verdict import Difference
from freezer.model.record.word import Word
from freezer.output.console import make_console
from freezer.output.fleet.exports import junit_xml, prometheus_text
from freezer.output.fleet.page import page
from freezer.output.fleet.report import document, show, show_list, show_states
from tests.support.cluster.fleets import FLEET, request

ODD = 'a "quoted" </script><b>\x1b[31m\n\\ end'
FIRST = Difference(training="numpy", what="loss at step 2", expected="0.5", found="0.25")


def row(host: str, state: State, **changes: Any) -> Row:
    values = {"environment": "demo", "class_": "v4", "fingerprint": state.title, "seconds": 4.5}
    return Row(host=host, state=state, **{**values, **changes})


ROWS = (
    row("n1", State(Word.IDENTICAL), facts={"kernel": "6.1"}),
    row("n2", State(Word.DRIFTED, reason=ODD), facts={"kernel": ODD}, difference=FIRST),
    row("n3", not_checked(Cause.LOST, "job 7 NODE_FAIL, 0:0"), class_="", fingerprint=""),
    row("n4", not_checked(Cause.DOWN, "the node is down"), class_="", fingerprint=""),
)


def fleet(*rows: Row) -> Fleet:
    some = rows or ROWS
    return Fleet(request=request(*(one.host for one in some)), attempts=1, rows=some)


def text(print_: Any, found: Any) -> str:
    stream = io.StringIO()
    console = make_console()
    console.file = stream
    print_(found, console)
    return stream.getvalue()


def test_the_text_names_every_host_that_is_not_good() -> None:
    said = text(show, fleet())
    assert "class v4: 2 hosts: 1 identical, 1 drifted; 2 different results" in said
    assert "separates them: kernel: 6.1 | others:" in said
    assert "not checked (lost)" in said
    assert "job 7 NODE_FAIL, 0:0" in said
    assert f"fleet {FLEET}: 1 of 4 verdicts good" in said
    assert "\x1b[31m" not in said
    assert "n1" in text(show_states, fleet())
    assert "slurm:all" in text(show_list, [fleet()])


def test_hundreds_of_bad_hosts_are_not_all_listed() -> None:
    said = text(show, fleet(*(row(f"n{n}", State(Word.DRIFTED)) for n in range(60))))
    assert "and 20 more" in said


def test_the_document_has_every_host() -> None:
    found = json.loads(json.dumps(document(fleet())))
    assert [one["state"] for one in found["hosts"]] == [
        "identical", "drifted", "not checked", "not checked",
    ]  # fmt: skip
    assert found["hosts"][3]["cause"] == "down"
    assert found["groups"][0]["factors"][0]["name"] == "kernel"
    assert found["good"] is False


def test_a_host_that_was_not_checked_is_a_failed_test() -> None:
    suite = ET.fromstring(junit_xml(fleet()))[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "3", "0")
    messages = [case[0].get("message") for case in suite if len(case)]
    assert messages[1] == "not checked (lost): job 7 NODE_FAIL, 0:0"


def test_metrics_are_of_prometheus_text_format() -> None:
    lines = prometheus_text(fleet(*ROWS, row("n5", State(Word.FAILED), class_=ODD))).splitlines()
    sample = re.compile(r'[a-z_]+\{([a-z]+="([^"\\]|\\\\|\\")*",?)+\} [0-9.e+]+')
    for line in lines:
        assert line.startswith("# ") or sample.fullmatch(line), line
    good = [line for line in lines if line.startswith("freezer_host_good{")]
    assert [line[-1] for line in good] == ["1", "0", "0", "0", "0"]


def test_the_page_holds_what_hosts_wrote_as_data_alone() -> None:
    drawn = page(fleet())
    assert drawn == page(fleet())
    assert "</script><b>" not in drawn
    assert "\x1b" not in drawn
    found = re.search(r'id="data">(.*?)</script>', drawn, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert [one["name"] for one in data["hosts"]] == ["n1", "n2", "n3", "n4"]
    assert data["hosts"][1]["first"] == "expected 0.5, found 0.25"
    assert "default-src 'none'" in drawn
