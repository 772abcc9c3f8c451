"""The parts of `freeze run` that need no engine: output, parameters, sweeps, code, summaries."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import DirtyTreeError, RunError
from freezer.flows.runs.code import code_of, require_clean
from freezer.flows.runs.protocol import Filter, setting
from freezer.flows.runs.request import RunRequest, filled, read_params, typed
from freezer.flows.runs.summary import summary
from freezer.flows.runs.sweep import read_each, requests
from freezer.model.record.protocol import PREFIX
from freezer.model.record.run import Digest, Run, Time


def line(**document: object) -> bytes:
    return b"\n" + PREFIX + json.dumps({"training": "t", **document}).encode() + b"\n"


REPORTED = (
    line(kind="loss", name="loss", step=0, value="0x1.8p+1")
    + b"epoch 1\n"
    + line(kind="loss", name="loss", step=1, value="nan")
    + line(kind="setting", name="lr", value="0x1.999999999999ap-4")
    + line(kind="setting", name="momentum", value="True")
    + line(kind="data", name="train", sha256="ab" * 32)
    + b"half a line"
    + line(kind="metric", name="accuracy", step=1, value="0x1.cp-1")
    + b"\n\nlast"
)


@given(st.lists(st.integers(1, len(REPORTED)), max_size=12))
def test_however_output_comes_in_it_is_shown_and_read_alike(cuts: list[int]) -> None:
    shown = bytearray()
    taken = Filter(lambda _stream, data: shown.extend(data))
    places = sorted({0, *cuts, len(REPORTED)})
    for first, last in itertools.pairwise(places):
        taken.take(1, REPORTED[first:last])
    taken.end()
    assert bytes(shown) == b"epoch 1\nhalf a line\n\n\nlast"
    report = taken.report
    assert report.fields["params.lr"] == 0.1
    assert report.fields["params.momentum"] is True
    assert report.fields["data.train"] == Digest("ab" * 32)
    assert report.fields["metrics.accuracy"] == 0.875
    loss = report.metrics()["metrics.loss"]
    assert [*loss.steps] == [0, 1]
    assert loss.values[0] == 3.0
    assert math.isnan(loss.values[1])
    assert report.metrics() == {}, "each point once"


def test_a_progress_bar_is_shown_before_its_line_ends() -> None:
    shown = []
    taken = Filter(lambda stream, data: shown.append((stream, data)))
    taken.take(1, b"50%\r")
    taken.take(2, b"warning")
    assert shown == [(1, b"50%\r"), (2, b"warning")]


@pytest.mark.parametrize(
    "document",
    ["{", "[]", "3", '{"kind": "loss"}', '{"kind": "loss", "step": "x", "value": 1}', "[" * 9999],
)
def test_a_line_that_cannot_be_read_stops_nothing(document: str) -> None:
    taken = Filter(lambda _stream, _data: None)
    taken.take(1, PREFIX + document.encode() + b"\n")
    assert taken.report.ignored + len(taken.report.fields) <= 1
    assert taken.report.metrics() == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("1e-3", 0.001), ("0x1.8p+1", 3.0), ("True", True), ("adam", "adam"), ("", "")],
)
def test_settings_keep_their_type(text: str, value: object) -> None:
    found = setting(text)
    assert (found, type(found)) == (value, type(value))


def test_parameters_are_typed_and_put_into_the_command() -> None:
    params = read_params(["lr=0.1", "n=3", "opt=adam=x", "flag=true", "empty="])
    assert params == {"lr": 0.1, "n": 3, "opt": "adam=x", "flag": True, "empty": ""}
    command = filled(["train.py", "--lr={lr}", "{seed}", "{none}", "{{lr}}"], params, 7)
    assert command == ("train.py", "--lr=0.1", "7", "{none}", "{0.1}")
    for word in ("lr", "=3", "l r=3"):
        with pytest.raises(RunError, match="parameter"):
            read_params([word])


def test_a_sweep_is_every_combination() -> None:
    each = read_each(["seed=1..3", "lr=0.1,0.01", "opt=adam,sgd"])
    made = list(requests(RunRequest(("true",), params={"k": 1}), each))
    assert len(made) == 12
    assert [one.seed for one in made][:5] == [1, 1, 1, 1, 2]
    assert made[0].params == {"k": 1, "lr": 0.1, "opt": "adam"}
    assert list(requests(RunRequest(("true",)), {})) == [RunRequest(("true",))]
    assert read_each(["n=3..1"]) == {"n": [3, 2, 1]}


@pytest.mark.parametrize("words", [["seed"], ["seed=a"], ["lr="], ["n=1..99999"], ["a=1", "a=2"]])
def test_a_sweep_that_cannot_be_read_is_refused(words: list[str]) -> None:
    with pytest.raises(RunError):
        read_each(words)


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    command = ["git", *who, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "train.py").write_text("lr = 1\n")
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_the_patch_holds_what_the_commit_does_not(tree: Path, tmp_path_factory) -> None:
    assert not code_of(tree).dirty
    require_clean(code_of(tree))
    (tree / "train.py").write_text("lr = 2\n")
    (tree / "new.bin").write_bytes(bytes(range(256)))
    (tree / "cached.pyc").write_text("ignored")
    (tree / ".env").write_text("TOKEN=s3cret\n")
    status = git(tree, "status", "--porcelain")
    code = code_of(tree)
    assert git(tree, "status", "--porcelain") == status, "the user's index is not touched"
    assert code.changed == (".env", "new.bin", "train.py")
    assert code.left_out == (".env",)
    assert b"s3cret" not in code.patch
    copy = tmp_path_factory.mktemp("copy") / "copy"
    git(tree, "clone", "-q", str(tree), str(copy))
    (copy / "p").write_bytes(code.patch)
    git(copy, "apply", "--index", "p")
    assert (copy / "train.py").read_text() == "lr = 2\n"
    assert (copy / "new.bin").read_bytes() == bytes(range(256))
    with pytest.raises(DirtyTreeError, match="differs from its commit"):
        require_clean(code)


def test_credentials_of_a_remote_are_left_out(tree: Path) -> None:
    git(tree, "remote", "add", "origin", "https://me:s3cret@example.org/x.git")
    assert "s3cret" not in code_of(tree).remote
    assert "example.org/x.git" in code_of(tree).remote


def test_without_git_there_is_no_code_and_nothing_clean(tmp_path: Path) -> None:
    code = code_of(tmp_path)
    assert (code.commit, code.dirty) == ("", False)
    with pytest.raises(DirtyTreeError, match="no git repository"):
        require_clean(code)


def run(number: int, seed: int, lr: float, **metrics: float) -> Run:
    fields = {f"metrics.{name}": value for name, value in metrics.items()}
    fields |= {"params.lr": lr, "seed": seed, "template": "train.py {lr}"}
    return Run(f"{number:016x}", "demo", "finished", Time(number), fields=fields)


def test_a_summary_gives_the_spread_over_seeds_and_what_was_repeated() -> None:
    runs = [
        run(1, 1, 0.1, acc=0.5),
        run(2, 2, 0.1, acc=0.7),
        run(3, 2, 0.1, acc=0.7),
        run(4, 2, 0.1, acc=0.7000000001),
        run(5, 1, 0.2, acc=math.nan),
    ]
    first, second = summary(runs)
    assert (first.what, first.seeds) == ({"params.lr": 0.1}, (1, 2))
    assert (first.repeated, first.identical) == (2, 1)
    assert first.metrics["metrics.acc"].mean == pytest.approx(0.65)
    assert first.metrics["metrics.acc"].deviation == pytest.approx(0.1)
    assert second.metrics["metrics.acc"].unusable == 1
    assert math.isnan(second.metrics["metrics.acc"].mean)
    assert summary([]) == []


def test_a_word_is_typed_by_how_it_looks() -> None:
    assert [typed(one) for one in ("1", "1.0", "True", "x", "inf")] == [1, 1.0, True, "x", math.inf]
