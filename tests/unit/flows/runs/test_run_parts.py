"""The parts of `freeze run` that need no engine: output, parameters, sweeps, code, summaries."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import DirtyTreeError, RunError
from freezer.fetch.store.untrusted import read_untrusted
from freezer.flows.runs.code import LARGEST, code_of, require_clean
from freezer.flows.runs.facts import reported
from freezer.flows.runs.protocol import Filter, setting
from freezer.flows.runs.request import (
    RunRequest,
    actual_command,
    read_params,
    recorded_command,
    typed,
)
from freezer.flows.runs.results.outputs import list_outputs
from freezer.flows.runs.summary import summary
from freezer.flows.runs.sweep import read_each, requests
from freezer.ledger.connect import open_ledger
from freezer.ledger.query import get
from freezer.ledger.record import record
from freezer.ledger.values import columns
from freezer.model.events import SilentReporter
from freezer.model.record.protocol import PREFIX
from freezer.model.record.run import Digest, Run, Time, Value, read_new_run, run_bytes

SILENT = SilentReporter()


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
def test_output_is_parsed_the_same_however_it_is_split(cuts: list[int]) -> None:
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
    ["{", "[]", "3", '{"kind": "loss"}', '{"kind": "loss", "step": "x", "value": 1}', "[" * 9999,
     '{"kind": "metric", "name": "m", "step": 1e999, "value": 1}',
     '{"kind": "metric", "name": "m", "step": 99999999999999999999, "value": 1}',
     '{"kind": "metric", "name": "m", "step": 1, "value": "0x1p99999"}',
     '{"kind": "metric", "name": "\\ud800", "step": 1, "value": 1}',
     '{"kind": "metric", "name": "", "step": 1, "value": 1}',
     '{"kind": "metric", "name": null, "step": 1, "value": 1}',
     '{"kind": "setting", "name": "\\u001b[31m", "value": 1}',
     '{"kind": "setting", "name": "' + "x" * 999 + '", "value": 1}',
     '{"kind": "data", "name": "d", "sha256": "abc"}',
     '{"kind": "data", "name": "d", "sha256": 3}'],
)  # fmt: skip
def test_an_invalid_protocol_line_is_skipped(document: str) -> None:
    taken = Filter(lambda _stream, _data: None)
    taken.take(1, PREFIX + document.encode() + b"\n")
    assert (taken.report.ignored, taken.report.fields) == (1, {})
    assert taken.report.metrics() == {}


@given(st.lists(st.binary(max_size=20) | st.sampled_from([PREFIX, b"\n", PREFIX[:5], b"{}"])))
def test_nothing_that_is_printed_is_lost(pieces: list[bytes]) -> None:
    whole, shown = b"".join(pieces), bytearray()
    taken = Filter(lambda _stream, data: shown.extend(data))
    for piece in pieces:
        taken.take(1, piece)
    taken.end()
    # What ends in a line feed and begins as the protocol is read; all else is shown.
    if not any(one.startswith(PREFIX) for one in whole.split(b"\n")[:-1]):
        assert bytes(shown) == whole


def test_parsing_time_is_linear_in_the_output() -> None:
    taken = Filter(lambda _stream, _data: None)
    began = time.process_time()
    taken.take(1, b"x\n" * 1_000_000)
    taken.take(1, PREFIX + b"x" * 500_000)
    for _ in range(5_000):
        taken.take(1, b"y")
    assert time.process_time() - began < 5


def test_the_tail_has_both_streams_in_order_of_arrival() -> None:
    taken = Filter(lambda _stream, _data: None)
    taken.take(1, b"first\n" * 100_000)
    taken.take(2, b"warning\n")
    taken.take(1, b"last")
    taken.end()
    assert taken.tail().splitlines()[-3:] == ["first", "warning", "last"]
    assert len(taken.tail().splitlines()) == 40


def test_a_training_cannot_change_what_is_recorded_of_its_data() -> None:
    taken = Filter(lambda _stream, _data: None)
    taken.take(1, line(kind="data", name="train", sha256="ab" * 32))
    begun = Run("0" * 16, "e", "running", Time(1), fields={"data.train": Digest("sha256:cd")})
    fields = reported(begun, taken.report).fields
    assert fields["data.train"] == Digest("sha256:cd")
    assert fields["data.train.reported"] == Digest("ab" * 32)


def test_what_a_container_wrote_is_read_within_limits(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 100)
    assert read_untrusted(tmp_path / "large", 10) == b"x" * 10
    (tmp_path / "link").symlink_to("large")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", ".", "none"):
        with pytest.raises(OSError, match=r"\w"):
            read_untrusted(tmp_path / name, 10)


def test_outputs_are_listed_among_links_pipes_and_unreadable_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "good").write_text("good")
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / os.fsdecode(b"\xff")).write_text("x")
    outputs, left_out = list_outputs(tmp_path, SILENT)
    assert [one.path for one in outputs] == ["deep/good"]
    assert left_out == (
        "link (a link)", "pipe (a pipe)", "\\udcff (its name is not UTF-8)",
    )  # fmt: skip
    assert list_outputs(tmp_path / "gone", SILENT) == ((), (". (No such file or directory)",))


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("1e-3", 0.001), ("9" * 5000, "9" * 5000), ("0x1p99999", "0x1p99999"),
     ("0x1.8p+1", 3.0), ("True", True), ("adam", "adam"), ("", ""),
     ("0x1.8p+1 (float)", 3.0), ("0x1.8p+1 (f4)", 3.0), ("3 (i8)", 3), ("3 (three)", "3 (three)"),
     ("f4 2x3, sha256 ab", "f4 2x3, sha256 ab")],
)  # fmt: skip
def test_settings_keep_their_type(text: str, value: object) -> None:
    found = setting(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("value", [10**400, -(10**400), str(10**399), 2**1023, 2**1024])
def test_whole_numbers_beyond_all_doubles_are_text(value: int | str, tmp_path: Path) -> None:
    found = setting(value)
    assert found == str(value)
    ledger = open_ledger(tmp_path / "ledger.db")
    run = Run("a" * 16, "demo", "finished", Time(1), fields={"params.n": found})
    record(ledger, run)
    assert get(ledger, run.id) == run
    ledger.close()


def test_a_record_with_a_whole_number_beyond_all_doubles_is_read_and_recorded(
    tmp_path: Path,
) -> None:
    """A journal of an earlier version may hold one; recording it failed in every command."""
    data = run_bytes(Run("a" * 16, "demo", "finished", Time(1), fields={"params.n": 10**400}))
    read = read_new_run(data)
    assert read.fields == {"params.n": str(10**400)}
    assert columns(10**400)["number"] == math.inf
    assert columns(-(10**400))["number"] == -math.inf


def test_parameters_reach_the_command_as_they_were_written() -> None:
    params = read_params(["lr=1e-3", "n=007", "opt=adam=x", "flag=true", "empty="])
    assert params == {"lr": "1e-3", "n": "007", "opt": "adam=x", "flag": "true", "empty": ""}
    words = ["train.py", "--lr={lr}", "{seed}", "{none}", "{{n}}", "{flag}"]
    request = RunRequest(tuple(words), params=params)
    command = ("train.py", "--lr=1e-3", "7", "{none}", "{007}", "true")
    assert actual_command(request, 7) == command
    assert recorded_command(request, 7) == (command, ())
    for wrong in (["lr"], ["=3"], ["l r=3"], ["a=1", "a=2"], ["a.b=1", "a_b=2"], ["seed=3"]):
        with pytest.raises(RunError, match="parameter"):
            read_params(wrong)


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("-3", -3), ("1e-3", 0.001), (".5", 0.5), ("TRUE", True), ("adam", "adam"), ("", ""),
     ("007", "007"), ("1_000", "1_000"), ("١٢", "١٢"), ("1" * 400, "1" * 400), ("1e999", "1e999"),
     ("inf", math.inf), ("1 ", "1 ")],
)  # fmt: skip
def test_a_parameter_is_typed_only_where_its_text_is_canonical(text: str, value: object) -> None:
    found = typed(text)
    assert (found, type(found)) == (value, type(value))


@given(st.text())
def test_any_parameter_text_can_be_typed(text: str) -> None:
    assert isinstance(typed(text), str | int | float | bool)


def test_a_secret_parameter_is_executed_and_never_recorded() -> None:
    request = RunRequest(
        ("t.py", "--key", "{hf_token}", "--password", "hunter2", "{lr}"),
        params={"hf_token": "sesame", "lr": "1"},
    )
    assert actual_command(request, 0) == ("t.py", "--key", "sesame", "--password", "hunter2", "1")
    words, secrets = recorded_command(request, 0)
    assert words == ("t.py", "--key", "{hf_token}", "--password", "***", "1")
    assert set(secrets) == {"sesame", "hunter2"}
    again = RunRequest(words, params=request.params, template="t.py")
    assert actual_command(again, 0) == ("t.py", "--key", "sesame", "--password", "***", "1")


def test_a_sweep_is_every_combination() -> None:
    each = read_each(["seed=1..3", "lr=0.1,0.01", "opt=adam,sgd"])
    made = list(requests(RunRequest(("true",), params={"k": "1"}), each))
    assert len(made) == 12
    assert [one.seed for one in made][:5] == [1, 1, 1, 1, 2]
    assert made[0].params == {"k": "1", "lr": "0.1", "opt": "adam"}
    assert list(requests(RunRequest(("true",)), {})) == [RunRequest(("true",))]
    assert read_each(["n=3..1"]) == {"n": ["3", "2", "1"]}


def test_each_run_of_a_sweep_has_its_own_output_folder(tmp_path: Path) -> None:
    made = requests(RunRequest(("true",), output=tmp_path), read_each(["lr=1,2"]))
    assert [one.output for one in made] == [tmp_path / "1", tmp_path / "2"]
    [alone] = requests(RunRequest(("true",), output=tmp_path), {})
    assert alone.output == tmp_path


@pytest.mark.parametrize("given", [{"params": {"lr": "1"}}, {"seed": 3}])
def test_a_value_given_twice_is_refused(given: dict) -> None:
    with pytest.raises(RunError, match="given once"):
        list(requests(RunRequest(("true",), **given), read_each(["lr=1,2", "seed=1..2"])))


@pytest.mark.parametrize(
    "words",
    [
        ["seed"],
        ["seed=a"],
        [f"seed={2**63}"],
        ["seed=" + "9" * 5000],
        ["lr="],
        ["n=1..99999"],
        ["a=1", "a=2"],
    ],
)
def test_a_sweep_that_cannot_be_read_is_refused(words: list[str]) -> None:
    with pytest.raises(RunError):
        read_each(words)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (read_params, ["a b=1"]),
        (read_params, ["é=1"]),
        (read_params, ["new\nline=1"]),
        (read_params, ["=1"]),
        (read_params, ["1a=1"]),
        (read_each, ["a b=1,2"]),
        (read_each, ["é=1..3"]),
    ],
)
def test_the_form_of_a_name_is_named(read, words: list[str]) -> None:
    with pytest.raises(RunError) as caught:
        read(words)
    assert "a name begins with a letter" in str(caught.value)


def test_two_values_of_one_environment_variable_are_refused_in_sweeps_too() -> None:
    with pytest.raises(RunError, match="same environment variable"):
        read_each(["lr=1,2", "LR=3,4"])
    with pytest.raises(RunError, match="same environment variable"):
        list(requests(RunRequest(("true",), params={"l.r": "1"}), read_each(["l-r=1,2"])))


def test_a_long_word_is_cut_in_the_message() -> None:
    with pytest.raises(RunError) as caught:
        read_params(["x y=" + "z" * 100_000])
    assert len(str(caught.value)) < 1000


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


@pytest.mark.process
def test_the_patch_has_every_uncommitted_change(tree: Path, tmp_path_factory) -> None:
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


@pytest.mark.process
def test_equal_code_has_one_digest_for_any_commit_and_patch(tree: Path) -> None:
    apart = ["freeze.yaml", "lockfiles/*"]
    (tree / "train.py").write_text("lr = 2\n")
    dirty = code_of(tree, apart)
    git(tree, "commit", "-qam", "two")
    (tree / "freeze.yaml").write_text("name: x\n")
    (tree / "lockfiles" / "x").mkdir(parents=True)
    (tree / "lockfiles" / "x" / "freeze.lock.yaml").write_text("name: x\n")
    clean = code_of(tree, apart)
    assert clean.commit != dirty.commit
    assert clean.patch != dirty.patch
    assert clean.files == dirty.files != ""
    assert code_of(tree).files != clean.files, "without `apart` they count"
    (tree / "train.py").chmod(0o755)
    executable = code_of(tree, apart).files
    (tree / "train.py").rename(tree / "other.py")
    assert len({clean.files, executable, code_of(tree, apart).files}) == 3
    (tree / ".env").write_text("TOKEN=s3cret\n")
    assert code_of(tree, apart).files == "", "not all of the code is known"


@pytest.mark.process
def test_the_digest_is_of_the_whole_repository_from_a_folder_in_it(tree: Path) -> None:
    (tree / "sub").mkdir()
    (tree / "sub" / "freeze.yaml").write_text("name: x\n")
    before = code_of(tree / "sub", ["freeze.yaml"]).files
    (tree / "sub" / "freeze.yaml").write_text("name: y\n")
    assert code_of(tree / "sub", ["freeze.yaml"]).files == before
    (tree / "freeze.yaml").write_text("of another project\n")
    assert code_of(tree / "sub", ["freeze.yaml"]).files != before


@pytest.mark.process
def test_new_files_leave_nothing_in_the_repository(tree: Path) -> None:
    before = sorted((tree / ".git").rglob("*"))
    (tree / "new.py").write_text("x = 1\n")
    with (tree / "huge.bin").open("wb") as stream:
        stream.truncate(LARGEST + 1)
    code = code_of(tree)
    assert code.left_out == ("huge.bin",)
    assert b"new.py" in code.patch
    assert sorted((tree / ".git").rglob("*")) == before


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every file")
def test_a_tree_without_read_permission_is_an_error(tree: Path) -> None:
    (tree / "new.py").write_text("x")
    (tree / "new.py").chmod(0)
    with pytest.raises(RunError, match="git cannot read the code"):
        code_of(tree)


@pytest.mark.process
def test_an_unreadable_tree_is_an_error(tree: Path) -> None:
    (tree / ".git" / "objects").rename(tree / ".git" / "gone")
    (tree / "train.py").write_text("lr = 3\n")
    with pytest.raises(RunError, match="git cannot read the code"):
        code_of(tree)


@pytest.mark.process
def test_assume_unchanged_files_are_in_the_patch(tree: Path) -> None:
    git(tree, "update-index", "--assume-unchanged", "train.py")
    (tree / "train.py").write_text("lr = 3\n")
    assert code_of(tree).changed == ("train.py",)
    assert b"lr = 3" in code_of(tree).patch


@pytest.mark.process
def test_a_change_within_the_second_of_the_commit_is_seen(tree: Path) -> None:
    """git counts whole seconds, and reads again what is as new as its index."""
    path, index = tree / "train.py", tree / ".git" / "index"
    whole = 1_700_000_000 * 10**9
    os.utime(path, ns=(whole, whole))
    git(tree, "update-index", "--really-refresh")
    os.utime(index, ns=(whole, whole))
    path.write_text("lr = 4\n")  # as long as before
    os.utime(path, ns=(whole, whole))
    assert b"lr = 4" in code_of(tree).patch


@pytest.mark.process
def test_names_and_settings_of_any_kind(tree: Path) -> None:
    git(tree, "config", "diff.noprefix", "true")
    git(tree, "config", "diff.renames", "copies")
    names = [":(top)x", "*", "a b\nc", "ümlaut", '"q"']
    for name in names:
        (tree / name).write_text(name)
    (tree / "train.py").unlink()
    code = code_of(tree)
    assert code.changed == tuple(sorted([*names, "train.py"]))
    before = code.patch
    git(tree, "add", ".")
    git(tree, "stash", "-q")
    git(tree, "config", "--unset", "diff.noprefix")
    (tree / ".git" / "p").write_bytes(before)
    git(tree, "apply", "--index", ".git/p")
    assert {name: (tree / name).read_text() for name in names} == {name: name for name in names}
    assert not (tree / "train.py").exists()


@pytest.mark.process
def test_a_merge_conflict_is_a_change_like_any_other(tree: Path) -> None:
    git(tree, "checkout", "-qb", "other")
    (tree / "train.py").write_text("lr = 2\n")
    git(tree, "commit", "-qam", "two")
    git(tree, "checkout", "-q", "main")
    (tree / "train.py").write_text("lr = 3\n")
    git(tree, "commit", "-qam", "three")
    with pytest.raises(subprocess.CalledProcessError):
        git(tree, "merge", "other")
    code = code_of(tree)
    assert code.changed == ("train.py",)
    assert b"<<<<<<<" in code.patch


@pytest.mark.process
def test_changes_within_a_submodule_are_named(tree: Path, tmp_path_factory) -> None:
    inner = tmp_path_factory.mktemp("inner")
    git(inner, "init", "-q")
    (inner / "lib.py").write_text("1\n")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "lib")
    git(tree, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "lib")
    git(tree, "commit", "-qm", "with lib")
    assert not code_of(tree).dirty
    (tree / "lib" / "lib.py").write_text("2\n")
    code = code_of(tree)
    assert (code.changed, code.left_out) == (("lib",), ("lib",))
    with pytest.raises(DirtyTreeError):
        require_clean(code)


@pytest.mark.process
def test_a_hook_has_the_folder_s_own_repository(tree: Path, monkeypatch, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "-q")
    commit = code_of(tree).commit
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / "index"))
    assert code_of(tree).commit == commit


@pytest.mark.process
def test_bare_and_subfolder(tree: Path, tmp_path_factory) -> None:
    bare = tmp_path_factory.mktemp("bare")
    git(bare, "clone", "-q", "--bare", str(tree), str(bare / "x.git"))
    assert code_of(bare / "x.git").commit == code_of(tree).commit
    (tree / "sub").mkdir()
    (tree / "sub" / "new.py").write_text("1")
    (tree / "train.py").write_text("2")
    assert code_of(tree / "sub") == code_of(tree)


@pytest.mark.process
def test_credentials_of_a_remote_are_left_out(tree: Path) -> None:
    git(tree, "remote", "add", "origin", "https://me:s3cret@example.org/x.git")
    assert "s3cret" not in code_of(tree).remote
    assert "example.org/x.git" in code_of(tree).remote


@pytest.mark.process
def test_without_git_there_is_no_code_and_nothing_clean(tmp_path: Path) -> None:
    code = code_of(tmp_path)
    assert (code.commit, code.dirty) == ("", False)
    with pytest.raises(DirtyTreeError, match="not in a git repository"):
        require_clean(code)


def run(number: int, seed: int, lr: float, **metrics: float) -> Run:
    fields = {f"metrics.{name}": value for name, value in metrics.items()}
    fields |= {"params.lr": lr, "seed": seed, "template": "train.py {lr}"}
    return Run(f"{number:016x}", "demo", "finished", Time(number), fields=fields)


def test_a_summary_has_the_spread_over_seeds_and_repetitions() -> None:
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


def test_reported_values_split_no_group_where_the_code_is_known() -> None:
    """A ``random_state`` is drawn with the seed: three seeds are one group."""

    def reported(number: int, **more: Value) -> Run:
        fields = {"given.lr": "0.1", "params.random_state": number, **more}
        return run(number, number, 0.1, acc=0.5).with_fields(fields)

    code, other = {"git.files": Digest("a" * 64)}, {"git.files": Digest("b" * 64)}
    [group] = summary([reported(n, **code, **{"git.commit": Digest(f"{n}" * 40)}) for n in (1, 2)])
    assert (group.seeds, group.what) == ((1, 2), {})
    assert len(summary([reported(1, **code), reported(2, **other)])) == 2
    assert len(summary([reported(1), reported(2)])) == 2, "perhaps the code changed"


def test_reported_settings_are_typed_by_their_text() -> None:
    assert [typed(one) for one in ("1", "1.0", "True", "x", "inf")] == [1, 1.0, True, "x", math.inf]
