"""An engine that falls silent is given up; one that is busy is not, however long that takes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from freezer.engine.connect.connect import connect
from freezer.engine.engine import DockerEngine
from freezer.engine.interface import LayerFile, RunOptions
from freezer.engine.watch import FIRST, SILENCE, Watch
from freezer.errors import EngineError
from freezer.model.events import SilentReporter
from tests.support.host.engine_socket import FakeEngine
from tests.support.waiting import LATE, SOON, ends_soon, wait_until

IMAGE = {"Id": "sha256:" + "a" * 64, "RootFS": {"Layers": ["sha256:" + "b" * 64]}}


@pytest.fixture
def silenced(fake: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function after which the engine takes requests, and answers none but some."""
    over, find = threading.Event(), fake.find

    def silence(*answered: str, seconds: float = LATE) -> None:
        def wait(method: str, path: str) -> Any:
            if not path.endswith(answered):
                over.wait(seconds)
            return find(method, path)

        monkeypatch.setattr(fake, "find", wait)

    yield silence
    over.set()


@pytest.fixture
def quick(fake: FakeEngine) -> Iterator[DockerEngine]:
    """Return a client that loses patience soon."""
    engine = connect(fake.address)
    object.__setattr__(engine._link, "watch", Watch(engine._link.api, silence=0.6, first=0.1))
    object.__setattr__(engine._link, "direct", None)  # what it leaves open, the SDK asks again
    yield engine
    engine.close()


def save(engine: DockerEngine, folder: Path) -> None:
    engine.save_layers("img", {"sha256:" + "b" * 64: folder / "layer"})


def build(engine: DockerEngine, folder: Path) -> None:
    (folder / "context").mkdir()
    (folder / "context/Dockerfile").write_text("FROM scratch\n")
    engine.build(folder / "context", report=SilentReporter())


def load(engine: DockerEngine, folder: Path) -> None:
    layer = folder / "layer.tar"
    layer.write_bytes(b"a layer")
    file = LayerFile(f"sha256:{hashlib.sha256(b'a layer').hexdigest()}", layer)
    engine.load(b"{}", [file])


def run(engine: DockerEngine, _: Path) -> None:
    engine.run("img", ["true"], RunOptions())


def look(engine: DockerEngine, _: Path) -> None:
    engine.image("x")


@pytest.mark.parametrize("work", [look, run, build, load, save])
def test_whatever_it_was_doing_it_is_given_up(
    quick: DockerEngine, silenced: Callable[..., None], tmp_path: Path,
    work: Callable[[DockerEngine, Path], None],
) -> None:  # fmt: skip
    silenced()
    with ends_soon(), pytest.raises(EngineError, match="stopped responding while") as caught:
        work(quick, tmp_path)
    assert caught.value.hint is not None
    assert "freeze doctor" in caught.value.hint


def test_cleaning_up_after_it_does_not_wait_as_long_again(
    quick: DockerEngine, fake: FakeEngine, silenced: Callable[..., None], tmp_path: Path
) -> None:
    """A container is removed whatever happens, if there is still an engine that does so."""
    fake.answers[("GET", "/containers/json")] = (200, [])
    fake.answers[("GET", "/images/json")] = (200, [])
    fake.answers[("GET", "/json")] = (200, {**IMAGE, "Config": {}})
    fake.answers[("POST", "/containers/create")] = (201, {"Id": "c"})
    silenced("/containers/json", "/img/json", "/containers/create")
    with ends_soon(), pytest.raises(EngineError, match="stopped responding while running"):
        run(quick, tmp_path)
    silenced("")
    assert quick.images() == []


def test_one_that_is_busy_is_waited_for(
    quick: DockerEngine,
    fake: FakeEngine,
    silenced: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake.answers[("GET", "/_ping")] = (200, "OK")
    fake.answers[("GET", "/json")] = (200, IMAGE)
    watch = quick._link.watch
    responds = watch._responds
    # This machine may be busy as well, and take long to answer a ping.
    monkeypatch.setattr(watch, "_responds", lambda _: responds(SOON))
    silenced("/_ping", seconds=1.0)
    assert quick.image("x") is not None
    assert any("_ping" in one for one in fake.asked)


def test_a_quick_answer_asks_nothing_more(connected: DockerEngine, fake: FakeEngine) -> None:
    fake.answers[("GET", "/json")] = (200, IMAGE)
    connected.image("x")
    assert not any("_ping" in one for one in fake.asked)


def test_no_thread_is_left(quick: DockerEngine, fake: FakeEngine) -> None:
    fake.answers[("GET", "/json")] = (200, IMAGE)
    before = threading.active_count()
    for _ in range(20):
        quick.image("x")
    wait_until(lambda: threading.active_count() <= before + 2, "the threads of 20 requests end")


def test_it_takes_twenty_seconds(connected: DockerEngine) -> None:
    assert (SILENCE, FIRST < SILENCE) == (20.0, True)
    assert connected._link.watch is not None
