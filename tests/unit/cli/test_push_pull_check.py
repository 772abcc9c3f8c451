"""Arguments of pushing, pulling and checking an image; what is printed for people and for programs."""

import json
from dataclasses import replace

import pytest

from freezer.check.reference import write_reference
from freezer.cli.main import run
from freezer.cli.session import Session
from freezer.errors import EXIT_NEGATIVE, EXIT_OK, EXIT_USER
from freezer.flows.image.config_cache import keep_config
from freezer.model.lockfile import LOCK_FILE
from tests.support.host.hosts import BASE, CONFIG, ID, LIGHT, LOCK, SYSTEM, make_host, reference
from tests.support.registry.memory_registry import memory_registry
from tests.support.registry.registries import make_config, sha


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a host with an image and a registry; the command works on it."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("FREEZER_CONFIG", str(tmp_path / "config.yaml"))
    (tmp_path / "config.yaml").write_text("")
    with memory_registry() as registry:
        host = make_host(tmp_path / "home", registry.host)
        store, folder = host.opened.store, host.references
        monkeypatch.setenv("FREEZER_STORE", str(store.root))
        monkeypatch.setattr(Session, "engine", lambda _: host.held)
        monkeypatch.setattr(host.held, "close", lambda: None, raising=False)
        folder.mkdir(parents=True)
        (folder / LOCK_FILE).write_bytes(LOCK)
        image = host.held.make(CONFIG, BASE, SYSTEM, LIGHT)
        host.held.files[image.id] = LOCK
        keep_config(store, image, CONFIG)
        store.put_memo("verified-image", ID, image.id)
        write_reference(folder, reference())
        yield host


@pytest.fixture
def freeze(home, capsys):
    def command(*arguments):
        code = run(["-C", str(home.opened.root), *arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return command


def test_a_push_prints_the_name_first(home, freeze):
    code, out, _ = freeze("push", "demo", f"{home.address}/demo:v1")
    assert code == EXIT_OK
    name, image, sent = out.splitlines()
    assert name.startswith(f"{home.address}/demo@sha256:")
    assert sha(CONFIG) in image
    assert "3 of 3 layers sent" in sent
    assert "1 reference sent" in sent
    _, out, _ = freeze("push", f"{home.address}/demo:v1")
    assert out.splitlines()[0] == name
    assert "3 layers, all of it was there; 0 references sent" in out


def test_a_push_and_a_pull_for_programs(home, freeze):
    pushed = json.loads(freeze("push", f"{home.address}/demo:v1", "--json")[1])
    assert pushed["sent"]["layers"] == 3
    pulled = json.loads(freeze("pull", pushed["name"], "--json")[1])
    assert pulled["image"] == pushed["image"] == sha(CONFIG)
    assert (pulled["fetched"], pulled["fetched-bytes"]) == (False, 0)
    checked = json.loads(freeze("check", pushed["name"], "--json")[1])
    assert (checked["verdict"], checked["recorded"]) == ("identical", False)


def test_a_pull_says_what_comes_next(home, freeze):
    name = freeze("push", f"{home.address}/demo:v1")[1].splitlines()[0]
    code, out, _ = freeze("pull", name)
    assert code == EXIT_OK
    assert f"next: freeze check {name}" in out
    code, out, _ = freeze("check", name)
    assert code == EXIT_OK
    assert out.splitlines()[-1].startswith("demo: identical, image ")


def test_a_check_that_cannot_tell_is_negative(home, freeze):
    config = make_config([BASE], Labels={"org.freezer.lock-id": ID})
    image = home.held.make(config, BASE)
    home.held.files[image.id] = home.held.files[sha(CONFIG)]
    code, out, _ = freeze("check", image.id)
    assert code == EXIT_NEGATIVE
    assert "not comparable" in out
    assert "there is no reference of this host's numerics class" in out
    assert "nothing was recorded" in out


def test_what_does_not_go_together_is_said(home, freeze, tmp_path):
    for arguments, words in (
        (("check", "a/b:c", "--record"), "--record needs an environment"),
        (("check", "demo", "--reference", "x.json"), "--reference is for images"),
        (("push", "demo", "a/b", "c/d"), "nothing more"),
        (("push",), "Missing argument"),
        (("pull", "demo:v1"), "a tag may move"),
        (("push", "demo@sha256:1"), "is not an image name"),
    ):
        code, _, err = freeze(*arguments)
        assert code == EXIT_USER
        assert words in " ".join(err.replace("│", " ").split())


def test_the_machines_own_platform_is_what_is_pulled(home):
    assert home.held.info.platform == "linux/amd64"
    assert replace(home.held.info, architecture="aarch64").platform == "linux/arm64"
    assert replace(home.held.info, architecture="riscv64").platform == "linux/riscv64"
