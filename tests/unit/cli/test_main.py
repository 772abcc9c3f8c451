"""Every way to end has its exit code and its words; nothing a user can cause is a traceback."""

import builtins
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import freezer
from freezer.__main__ import main
from freezer.cli.main import run
from freezer.cli.options import or_stdout, text_output
from freezer.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_NEGATIVE, EXIT_OK, EXIT_USER
from freezer.model.lockfile import lock_bytes
from tests.support.project.locks import make_lock

SPEC = "name: demo\nbase: {bootstrap: bookworm}\npython: '3.11'\n"


@pytest.fixture(autouse=True)
def _own_store(monkeypatch, tmp_path):
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("FREEZER_CONFIG", str(tmp_path / "config.yaml"))
    (tmp_path / "config.yaml").write_text("")


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def freeze(project, *arguments):
    return run(["-C", str(project), *arguments])


@pytest.mark.parametrize("command", ["lock", "fetch", "build", "check"])
def test_an_empty_project_is_the_users_to_mend(project, capsys, command):
    assert freeze(project, command) == EXIT_USER
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no spec here" in said.err
    assert "freeze init" in said.err
    assert "Traceback" not in said.err


def test_with_json_an_error_is_the_one_document(project, capsys):
    assert freeze(project, "lock", "--json") == EXIT_USER
    document = json.loads(capsys.readouterr().out)
    assert (document["error"], document["where"]["file"]) == ("spec", str(project))


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert freeze(tmp_path / "none", "lock") == EXIT_USER
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("image", "-o"), ("bundle", "-o"), ("check", "--report")], ids=" ".join
)
@pytest.mark.parametrize(
    ("file", "says"),
    [
        (".", "this is a folder"),
        ("/", "this is a folder"),
        ("none/x.html", "no folder none"),
        ("-", "not to the standard output"),
    ],
)
def test_a_file_that_cannot_be_made_is_said_before_the_work(project, capsys, arguments, file, says):
    (project / "freeze.yaml").write_text(SPEC)
    assert freeze(project, *arguments, file) == EXIT_USER
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("path", ["-", "./-"])
def test_a_dash_is_the_standard_output_of_commands_that_print(tmp_path: Path, path: str) -> None:
    assert or_stdout(Path(path)) is None
    assert text_output(Path(path)) is None
    assert text_output(tmp_path / "x") == or_stdout(tmp_path / "x") == tmp_path / "x"


def test_every_option_for_an_output_file_knows_the_dash() -> None:
    """A file named ``-`` is what nobody wants."""
    sources = (Path(freezer.__file__).parent / "cli").rglob("*.py")
    options = [
        (file.name, found[0])
        for file in sources
        for found in re.finditer(r'typer\.Option\((?:[^()]|\([^()]*\))*?"-o"(?:[^()]|\([^()]*\))*\)',
                                 file.read_text())
        if 'metavar="DIR"' not in found[0]
    ]  # fmt: skip
    assert len(options) > 8
    known = ("callback=output_file", "callback=text_output", "callback=or_stdout")
    assert [name for name, text in options if not any(one in text for one in known)] == []


def test_a_broken_spec_is_named_with_line_and_key(project, capsys):
    (project / "freeze.yaml").write_text(SPEC + "smoke: {cpus: none}\n")
    assert freeze(project, "lock") == EXIT_USER
    assert "freeze.yaml:4 (smoke.cpus)" in capsys.readouterr().err


def test_a_missing_lock_is_a_negative_verdict_of_its_check(project, capsys):
    (project / "freeze.yaml").write_text(SPEC)
    assert freeze(project, "lock", "--check") == EXIT_NEGATIVE
    assert "demo has no lock" in capsys.readouterr().err


def test_an_edited_lock_is_refused_before_anything_is_asked(project, capsys):
    folder = project / "lockfiles" / "demo"
    folder.mkdir(parents=True)
    data = lock_bytes(make_lock()).replace(b'version: "2.4.6"', b'version: "2.4.7"')
    (folder / "freeze.lock.yaml").write_bytes(data)
    assert freeze(project, "build", "demo") == EXIT_USER
    assert "changed by something other than `freeze lock`" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [("lock", "--no-such"), ("no-such",), ("lock", "a", "b"), ("lock", "--check", "--upgrade")],
)
def test_usage_errors_are_the_users(project, capsys, arguments):
    assert freeze(project, *arguments) == EXIT_USER
    assert "Traceback" not in capsys.readouterr().err


def test_a_moment_without_a_zone_is_refused(project, capsys):
    assert freeze(project, "lock", "--as-of", "2026-11-01T00:00:00") == EXIT_USER
    assert "a date, a time and a zone" in capsys.readouterr().err


def test_reserved_variables_are_refused_with_their_place(project, capsys):
    (project / "freeze.yaml").write_text(SPEC + "env: {PATH: /bin}\n")
    assert freeze(project, "lock") == EXIT_USER
    assert "freeze.yaml:4 (env.PATH)" in capsys.readouterr().err


def test_a_bug_is_called_one(project, capsys, monkeypatch):
    def fail(*_arguments):
        msg = "surprise"
        raise ValueError(msg)

    monkeypatch.setattr("freezer.model.spec.schema.spec_schema", fail)
    assert freeze(project, "schema") == EXIT_BUG
    assert "This is a bug in Freezer" in capsys.readouterr().err


def test_an_interruption_says_so(project, capsys, monkeypatch):
    def interrupt(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("freezer.model.spec.schema.spec_schema", interrupt)
    assert freeze(project, "schema") == EXIT_INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


def test_an_interruption_while_it_loads_says_so_too(capsys, monkeypatch):
    usual = builtins.__import__

    def interrupted(name, *rest):
        if name == "freezer.cli.main":
            raise KeyboardInterrupt
        return usual(name, *rest)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == EXIT_INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


def test_a_host_that_refuses_is_named(project, capsys):
    (project / "freeze.yaml").mkdir()
    assert freeze(project, "init", "--force") == EXIT_USER
    said = capsys.readouterr().err
    assert f"{project}/freeze.yaml: Is a directory" in said, "not the name that it had meanwhile"


def test_the_schema_is_json_and_knows_every_key(project, capsys):
    assert freeze(project, "schema") == EXIT_OK
    schema = json.loads(capsys.readouterr().out)
    assert {"name", "base", "as-of", "pip", "smoke", "why"} <= schema["properties"].keys()
    assert schema["additionalProperties"] is False


def test_init_writes_a_spec_and_says_what_is_next(project, capsys):
    (project / "requirements.txt").write_text("numpy\n")
    assert freeze(project, "init", "--bootstrap", "bookworm") == EXIT_OK
    assert "Next: freeze lock" in capsys.readouterr().out
    assert (project / "freeze.yaml").is_file()


def test_the_version(project, capsys):
    assert freeze(project, "--version") == EXIT_OK
    assert capsys.readouterr().out.startswith("freeze ")


def test_a_folder_that_is_not_there_is_json_as_well(tmp_path, capsys):
    assert freeze(tmp_path / "none", "log", "--json") == 2
    assert json.loads(capsys.readouterr().out)["message"].startswith("there is no folder")


def test_json_behind_two_dashes_is_the_users_commands(tmp_path, capsys):
    assert freeze(tmp_path / "none", "run", "--", "python", "t.py", "--json") == 2
    assert capsys.readouterr().out == ""


@pytest.mark.process
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_current_folder_that_was_removed_is_named(tmp_path, more):
    script = (
        "import os, sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1]); del sys.argv[1];"
        "from freezer.cli.main import main; main()"
    )
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "gone"), "log", *more],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "the current folder is not there any more" in done.stderr
    assert "Traceback" not in done.stderr
    assert bool(done.stdout) is bool(more)
