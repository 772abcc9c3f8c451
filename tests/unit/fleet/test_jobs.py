"""Lists of jobs and nodes, as Slurm 22.05 prints them and as they may be damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import FleetError
from freezer.fleet.jobs import Job, joined, parse_accounting, parse_nodes, parse_queue
from freezer.fleet.state import Cause
from freezer.fleet.target import parse_target

QUEUE = """\
5|freezer-x-1-n3|NODE_FAIL|n3|NodeDown
6|freezer-x-1-n4|PENDING||ReqNodeNotAvail, May be reserved for other job
"""
ACCOUNTING = """\
5|freezer-x-1-n3|NODE_FAIL|n3|0:0
7|freezer-x-1-n1|CANCELLED by 1000|n1|0:0
8|freezer-x-1-n2|RUNNING|n2|0:0
"""
NODES = """\
n1|idle|haswell,new|gpu:a100:4(S:0-1)|none
n2|down*|haswell|(null)|Not responding
n10|drained|(null)|(null)|bad | disk
n11|mixed$|haswell|(null)|none
"""


def test_jobs_are_read_by_name() -> None:
    queue, accounting = parse_queue(QUEUE), parse_accounting(ACCOUNTING)
    assert queue["freezer-x-1-n3"] == Job("5", "freezer-x-1-n3", "NODE_FAIL", "n3", "NodeDown")
    assert not queue["freezer-x-1-n3"].completed
    assert queue["freezer-x-1-n4"].active
    assert accounting["freezer-x-1-n1"].state == "CANCELLED"
    assert accounting["freezer-x-1-n1"].cause is Cause.CANCELLED


def test_accounting_is_believed_about_ends_alone() -> None:
    known = {"a": Job("1", "a", "COMPLETED"), "b": Job("2", "b", "COMPLETED")}
    late = {"a": Job("1", "a", "RUNNING"), "c": Job("3", "c", "NODE_FAIL", note="0:0")}
    queue = {"b": Job("2", "b", "PENDING")}  # it was requeued
    states = {name: job.state for name, job in joined(queue, late, known).items()}
    assert states == {"a": "COMPLETED", "b": "PENDING", "c": "NODE_FAIL"}


def test_nodes_are_down_drained_or_usable() -> None:
    nodes = parse_nodes(NODES)
    assert {name: node.unusable for name, node in nodes.items()} == {
        "n1": None,
        "n2": Cause.DOWN,
        "n10": Cause.DRAINED,
        "n11": None,
    }
    assert nodes["n1"].has_gpus
    assert not nodes["n2"].has_gpus
    assert nodes["n10"].reason == "bad | disk"


@given(st.text())
def test_no_list_is_too_odd(text: str) -> None:
    for parse in (parse_queue, parse_accounting, parse_nodes):
        parse(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("slurm:all", ["n1", "n2", "n10", "n11"]),
        ("slurm:all:haswell", ["n1", "n2", "n11"]),
        ("slurm:all:haswell&new", ["n1"]),
        ("slurm:all:new|haswell", ["n1", "n2", "n11"]),
    ],
)
def test_a_target_selects_by_features(text: str, names: list[str]) -> None:
    assert [node.name for node in parse_target(text).select(parse_nodes(NODES))] == names


@pytest.mark.parametrize(
    "text", ["", "slurm", "slurm:", "k8s:all", "slurm:a b", "slurm:a:b c", "slurm:-x", "slurm:a:&"]
)
def test_other_targets_are_refused(text: str) -> None:
    with pytest.raises(FleetError, match="--on does not take"):
        parse_target(text)


def test_unknown_features_and_hosts_are_named() -> None:
    nodes = parse_nodes(NODES)
    with pytest.raises(FleetError, match="no node of all has the features 'a100'"):
        parse_target("slurm:all:a100").select(nodes)
    with pytest.raises(FleetError, match="no node 'n3'"):
        parse_target("slurm:all").select(nodes, ("n3",))
