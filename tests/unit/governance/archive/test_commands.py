"""The commands as they are typed: text, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freezer.cli.main import run
from tests.support.host.hosts import Host
from tests.support.signatures.keys import key_pair


@pytest.fixture
def freeze(here: Host, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(here.opened.root)
    monkeypatch.setenv("FREEZER_STORE", str(here.opened.store.root))
    monkeypatch.delenv("FREEZER_CONFIG", raising=False)

    def typed(*words: str) -> tuple[int, str]:
        code = run(["archive", *words])
        out = capsys.readouterr()
        return code, out.out + (out.err if code == 2 else "")

    return typed


def test_the_commands_in_order(freeze, here: Host, tmp_path: Path) -> None:
    place = str(tmp_path / "archive")
    secret, shared = map(str, key_pair(tmp_path))
    code, out = freeze("create", "--to", place)
    assert (code, "archived in" in out, " as v1 (" in out) == (0, True, True)
    assert "already, as v1" in freeze("create", "--to", place)[1]
    signed = json.loads(freeze("create", "--to", place, "--key", secret, "--json")[1])
    assert (signed["version"], signed["signed"], signed["new-files"]) == ("v2", True, 1)
    lines = freeze("list", place)[1].splitlines()
    assert [line.endswith(", signed") for line in lines] == [False, True]
    listed = json.loads(freeze("list", place, "--json")[1])["versions"]
    assert [one["version"] for one in listed] == ["v1", "v2"]
    assert "every byte as it was written" in freeze("verify", place)[1]
    code, out = freeze("verify", place, "--key", shared, "--json")
    assert (code, json.loads(out)["signatures-verified"]) == (0, True)
    restored = json.loads(freeze("restore", place, "demo", "--json")[1])
    assert (restored["version"], restored["runs"]) == ("v2", [])
    assert "next: freeze build demo" in freeze("restore", place, "demo")[1]
    code, out = freeze("prune", place, "--keep-last", "1", "--dry-run")
    assert "would be removed" in out
    pruned = json.loads(freeze("prune", place, "--keep-last", "1", "--json")[1])
    assert [one["kept"] for one in pruned["environments"][0]["versions"]] == [None, "the newest"]
    assert "stays: the newest" in freeze("prune", place, "--keep-days", "1")[1]

    blob = next(Path(place).glob("demo__2/v1/content/blobs/sha256/*"))
    blob.write_bytes(b"x")
    code, out = freeze("verify", place)
    assert code == 1
    assert f"{blob.relative_to(place)}: its bytes changed" in out
    assert not json.loads(freeze("verify", place, "--json")[1])["good"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["list", "nowhere"], "this is no archive"),
        (["verify", "ftp://x/y"], "no place for an archive"),
        (["prune", "nowhere", "--keep-last", "0"], "keep-last"),
        (["create", "--to", "images"], "place of its own"),
        (["restore", "nowhere", "demo", "--at", "soon"], "--at takes a day"),
    ],
)
def test_what_cannot_be_done_exits_with_2(freeze, here: Host, words: list[str], found: str) -> None:
    (here.opened.root / "images" / "x").mkdir(parents=True)
    code, out = freeze(*words)
    assert code == 2
    assert found in out
    assert "Traceback" not in out
