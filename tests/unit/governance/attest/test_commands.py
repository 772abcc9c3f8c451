"""``freeze sign``, ``verify`` and ``log --verify --key`` as commands: words, JSON, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

from freezer.cli.governance import options
from freezer.cli.main import run
from freezer.errors import EXIT_NEGATIVE, EXIT_OK, EXIT_USER
from freezer.flows.project.project import Project
from tests.support.signatures.keys import expired_certificate, key_pair, private, public

ENV = "boosting"
Freeze = Callable[..., tuple[int, str, str]]


@pytest.fixture
def freeze(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Freeze:
    monkeypatch.setenv("FREEZER_STORE", str(project.store.root))
    monkeypatch.chdir(project.root)

    def command(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, " ".join(said.err.replace("│", " ").split())

    return command


def test_a_lock_is_signed_verified_and_its_history_too(freeze: Freeze, tmp_path: Path) -> None:
    key_pair(tmp_path)
    key_pair(tmp_path, "other")
    code, out, err = freeze("sign", ENV, "--key", "team.key", "--builder", "https://ci.example.org")
    assert (code, err) == (EXIT_OK, "")
    assert "provenance of lock" in out
    code, out, _ = freeze("verify", ENV, "--key", "team.pub")
    assert code == EXIT_OK
    assert "signed by team.pub, with image" in out
    code, out, _ = freeze("verify", ENV, "--key", "other.pub", "--json")
    found: Any = json.loads(out)
    assert code == EXIT_NEGATIVE
    assert (found["good"], found["problem"]) == (False, "none of the given keys signed it")

    log = ("log", ENV, "--verify", "--key", "team.pub")
    code, out, _ = freeze(*log)
    assert code == EXIT_OK
    assert "generation 1 (lock 681b8125f3b3): it is not signed; nothing demands a signature" in out
    Path("policy.yaml").write_text("rules: {signed: {keys: [team.pub]}}")
    code, out, _ = freeze(*log, "--json")
    found = json.loads(out)
    assert (code, found["good"]) == (EXIT_NEGATIVE, False)
    *earlier, last = [one["good"] for one in found["signatures"]]
    assert earlier
    assert (any(earlier), last) == (False, True)
    code, out, _ = freeze("sign", "--generation", "1", "--key", "team.key", "--json")
    assert json.loads(out)["lock-id"].startswith("681b8125f3b3")
    for number in range(2, len(earlier) + 1):
        assert freeze(*log)[0] == EXIT_NEGATIVE
        freeze("sign", "--generation", str(number), "--key", "team.key")
    code, out, _ = freeze(*log)
    assert code == EXIT_OK
    count = len(earlier) + 1
    assert f"{count} of {count} generations signed by a given key" in out


def test_a_report_and_an_expired_certificate(freeze: Freeze, tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    for name, data in (
        ("a.key", private(key)), ("a.pub", public(key)), ("old.pem", expired_certificate(key)),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(data)
    report = {
        "environment": "x", "lock-id": "1" * 64, "image": "2" * 64, "verdict": "identical",
        "class": "c", "date": "2026-11-30T00:00:00Z",
        "trainings": [{"training": "t", "word": "identical"}],
    }  # fmt: skip
    Path("check.json").write_text(json.dumps(report))
    code, out, _ = freeze("sign", "check.json", "--key", "a.key")
    assert code == EXIT_OK
    assert "x: identical on c, 2026-11-30" in out
    assert freeze("verify", "check.json", "--key", "a.pub")[0] == EXIT_OK
    code, out, _ = freeze("verify", "check.json", "--key", "old.pem")
    assert code == EXIT_NEGATIVE
    assert "old.pem expired on" in out
    code, out, _ = freeze("verify", "check.json", "--key", "a.pub", "--json")
    assert json.loads(out)["kind"] == "report"


def test_the_password_is_asked_for_at_a_terminal_alone(
    freeze: Freeze, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = private(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"word"))
    (tmp_path / "team.key").write_bytes(locked)
    code, _, err = freeze("sign", ENV, "--key", "team.key")
    assert code == EXIT_USER
    assert "it is encrypted" in err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked: list[dict[str, Any]] = []

    def prompt(_: str, **how: Any) -> str:
        asked.append(how)
        return "word"

    monkeypatch.setattr(options.typer, "prompt", prompt)
    assert freeze("sign", ENV, "--key", "team.key")[0] == EXIT_OK
    assert asked == [{"hide_input": True, "err": True}]
    (tmp_path / "word").write_text("word\n")
    assert freeze("sign", ENV, "--key", "team.key", "--password-file", "word")[0] == EXIT_OK
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sign", ENV), "Missing option '--key'"),
        (("verify", ENV), "Missing option '--key'"),
        (("sign", ENV, "--key", "none.key"), "cannot be read"),
        (("sign", "nothere.json", "--key", "team.key"), "neither a report nor an archive"),
        (("sign", "./nothere", "--key", "team.key"), "neither a report nor an archive"),
        (("sign", "s3://bucket/x", "--key", "team.key"), "freeze archive create --key"),
        (("sign", "images", "--key", "team.key"), "images"),
        (("sign", "a/b:c", "--key", "team.key"), "a tag may move"),
        (("sign", "policy.txt", "--key", "team.key"), "no report of a check"),
        (("sign", "policy.txt", "--key", "team.key", "--builder", "urn:x"), "--builder"),
        (("verify", "policy.txt", "--key", "team.pub", "--generation", "1"), "generations"),
        (("verify", "a/b:c", "--key", "team.pub", "--file", "x"), "--file is not for images"),
        (("verify", ENV, "--key", "team.pub", "--at", "1.1.2026"), "a day such as"),
        (("verify", ENV, "--key", "team.pub", "--generation", "77"), "77"),
        (("log", ENV, "--key", "team.pub"), "go with --verify"),
        (("log", ENV, "--at", "2026-01-01"), "go with --verify"),
        (("log", ENV, "--verify", "--key", "team.key"), "no public key"),
    ],
)
def test_what_does_not_go_together_is_said(
    freeze: Freeze, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    key_pair(tmp_path)
    Path("policy.txt").write_text("{}")
    code, out, err = freeze(*arguments)
    assert code == EXIT_USER
    assert words in err + out
