"""`freeze why`: what the lock, the store, the spec, the history and an index tell together."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from freezer.cli.main import run
from freezer.errors import LockError
from freezer.fetch.config import Config, PythonIndexConfig, Sources
from freezer.flows.history.generations import history
from freezer.flows.project.project import Project
from freezer.flows.why.constraints import Hold
from freezer.flows.why.why import Answer, why
from freezer.history.log import FOLDER
from freezer.model.lock import Accelerator, Component, CondaPackage, Lock, Newer, PipPackage
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from tests.support.project.histories import INSIDE, NAME, Past, make_past
from tests.support.project.locks import make_lock, sha
from tests.support.python.indexes import DATE, serve, wheel

SPEC = """\
name: demo
base: {bootstrap: bookworm}
python: "3.11"
pip: ["numpy>=1,<3", app]
"""


def locked(data: bytes, name: str, *requires: str, version: str = "1.0", **more: Any) -> PipPackage:
    """Return the pin of a wheel."""
    return PipPackage(
        source="pypi", file=f"{name}-{version}-py3-none-any.whl", size=len(data),
        sha256=hashlib.sha256(data).hexdigest(), name=name, version=version, requires=requires,
        reason=more.pop("reason", "needed by app"), **more,
    )  # fmt: skip


APP = wheel(
    "app",
    requires=[
        "numpy>=1.5,<2.5", "lib", "NumPy!=2.0 ; sys_platform == 'linux'",
        "numpy<1 ; sys_platform == 'win32'", "fast>=4 ; extra == 'speed'",
    ],
)  # fmt: skip
LIB = wheel("lib")


def demo(**changes: Any) -> Lock:
    app = locked(
        APP, "app", "fast", "lib", "numpy", requested=True,
        reason="asked for in freeze.yaml (pip[1]); why: the product",
    )  # fmt: skip
    numpy = locked(b"", "numpy", requested=True, reason="asked for in freeze.yaml (pip[0])")
    packages = (app, locked(b"f", "fast"), locked(LIB, "lib"), numpy)
    return make_lock(**{"pip": packages, "inside": INSIDE, **changes})


@dataclass
class Room:
    past: Past

    def put(self, lock: Lock, spec: str | None = SPEC) -> None:
        self.past.folder.mkdir(parents=True, exist_ok=True)
        self.past.lock_file.write_bytes(lock_bytes(lock))
        if spec is not None:
            (self.past.project / "freeze.yaml").write_text(spec)

    def ask(self, name: str, **more: Any) -> Answer:
        (found,) = why(self.past.opened, NAME, name, **more).answers
        return found


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    made = Room(make_past(tmp_path))
    monkeypatch.setenv("FREEZER_STORE", str(tmp_path / "store"))
    made.put(demo())
    return made


def parents(answer: Answer) -> list[tuple[str, str | None]]:
    return [(one.by, one.wanted) for one in answer.holds if one.kind == "parent"]


def test_ranges_come_from_the_wheels_in_the_store(room: Room) -> None:
    assert parents(room.ask("numpy")) == [("app (pip)", None)]
    room.past.opened.store.put_bytes(APP)
    # Markers are evaluated for the target; one name in two spellings is one package.
    assert parents(room.ask("NumPy")) == [("app (pip)", "<2.5,>=1.5"), ("app (pip)", "!=2.0")]
    assert parents(room.ask("lib")) == [("app (pip)", "")]
    assert parents(room.ask("fast")) == [("app (pip)", ">=4 (extra speed)")]


def test_a_wheel_that_is_broken_tells_nothing(room: Room) -> None:
    broken = b"no wheel"
    app = locked(broken, "app", "lib", requested=True)
    room.put(demo(pip=(app, locked(LIB, "lib"))))
    room.past.opened.store.put_bytes(broken)
    assert parents(room.ask("lib")) == [("app (pip)", None)]


def test_the_lines_of_the_spec_and_the_cut_off_hold_it(room: Room) -> None:
    found = room.ask("numpy").holds
    assert found[0].kind == "spec"
    assert found[0].wanted == "numpy<3,>=1"
    assert "pip" in found[0].by
    assert found[-1] == Hold("as-of", "nothing newer was considered", "2026-11-01T00:00:00Z")


def test_a_lock_explains_itself_without_a_spec(room: Room) -> None:
    (room.past.project / "freeze.yaml").unlink()
    found = room.ask("app")
    assert (found.reason, found.why) == ("asked for in freeze.yaml (pip[1])", "the product")
    assert [one.kind for one in found.holds] == ["as-of"]


def test_an_exception_goes_before_the_cut_off(room: Room) -> None:
    fix = Newer(as_of="2026-11-20T00:00:00Z", reason="a security fix")
    room.put(demo(exceptions={"lib": fix}))
    assert Hold("exception", "a security fix", fix.as_of) in room.ask("lib").holds


def test_parts_of_cuda_and_of_the_blas_are_held_by_what_was_declared(room: Room) -> None:
    def conda(name: str, **more: Any) -> CondaPackage:
        return CondaPackage(
            source="conda", file=f"{name}-1-0.conda", size=1, sha256=sha("9"), name=name,
            version="1", build="0", build_number=0, channel="conda-forge", subdir="linux-64",
            reason="asked for in freeze.yaml", requested=True, **more,
        )  # fmt: skip

    packages = (
        conda("libcublas", depends=("cuda-version >=12.9",)), conda("openblas"), conda("zlib"),
    )  # fmt: skip
    part = Component(role="blas", name="OpenBLAS", version="1", provider="conda:openblas")
    gpu = Accelerator(cuda="12.9", driver=">=575")
    room.put(demo(conda=packages, accelerator=gpu, blas="openblas", components=(part,)), spec=None)
    declared = {
        name: [(one.kind, one.wanted) for one in room.ask(name).holds][:-1]
        for name in ("libcublas", "openblas", "zlib")
    }
    assert declared == {
        "libcublas": [("accelerator", "CUDA 12.9, driver >=575")],
        "openblas": [("blas", "openblas")],
        "zlib": [],
    }


def test_a_name_may_be_in_several_ecosystems(room: Room) -> None:
    conda = CondaPackage(
        source="conda", file="lib-1-0.conda", size=1, sha256=sha("9"), name="lib", version="1",
        build="py_0", build_number=0, channel="conda-forge", subdir="noarch", noarch="python",
        depends=("python >=3.9",), requested=True, reason="asked for in freeze.yaml",
    )  # fmt: skip
    room.put(demo(conda=(conda,)))
    found = why(room.past.opened, NAME, "lib").answers
    assert [one.key.ecosystem for one in found] == ["conda", "pip"]


def test_a_package_of_conda_goes_by_its_python_name_too(room: Room) -> None:
    torch = CondaPackage(
        source="conda", file="pytorch-2-0.conda", size=1, sha256=sha("9"), name="pytorch",
        version="2", build="py_0", build_number=0, channel="conda-forge", subdir="linux-64",
        depends=("python",), requested=True, reason="asked for in freeze.yaml",
    )  # fmt: skip
    needing = wheel("app", requires=["torch>=1.9"])
    room.past.opened.store.put_bytes(needing)
    room.put(demo(conda=(torch,), pip=(locked(needing, "app", requested=True),)))
    assert room.ask("torch").key.name == "pytorch"
    assert parents(room.ask("pytorch")) == [("app (pip)", ">=1.9")]


def test_a_name_that_is_not_locked_proposes_near_ones(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LockError) as caught:
        room.ask("numpi")
    assert "such as numpy" in str(caught.value)
    assert run(["-C", str(room.past.project), "why", "numpi"]) == 2
    assert "did you mean `freeze why demo numpy`?" in capsys.readouterr().err
    assert run(["-C", str(room.past.project), "why", "a", "b"]) == 2


def test_since_is_the_generation_that_brought_the_version(room: Room) -> None:
    past = room.past
    assert room.ask("numpy").since is None
    past.lock("1.0")
    past.lock("2.0", reason="the fix of an overflow")
    past.check()
    past.lock("3.0")
    past.lock("2.0", reason="back")
    numpy, gomp = room.ask("numpy").since, room.ask("libgomp1").since
    assert numpy is not None
    assert gomp is not None
    # The lock that lay there before is the first generation.
    assert (numpy.generation.number, numpy.generation.reason) == (5, "back")
    assert (gomp.generation.number, gomp.complete) == (1, True)
    past.place("9.0")
    assert room.ask("numpy").since is None  # not recorded yet


def test_an_older_lock_that_was_edited_is_not_read(room: Room) -> None:
    past = room.past
    past.lock("1.0")
    past.lock("2.0")
    second = history(past.opened, NAME).generations[1]
    kept = past.folder / FOLDER / second.lock_id / LOCK_FILE
    kept.write_bytes(kept.read_bytes().replace(b"libgomp1", b"libgomp2"))
    found = room.ask("libgomp1").since
    assert found is not None
    assert (found.generation.number, found.complete) == (3, False)


@pytest.fixture
def asked(room: Room, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what asks with an index of its own; nothing is resolved, as there is no engine."""
    monkeypatch.setattr("freezer.flows.why.why.released", lambda *_: None)
    room.past.opened.store.put_bytes(APP)
    with serve() as index:
        for version in ("1.0", "2.0", "2.4", "2.6", "3.0rc1"):
            index.add("numpy", version)
        index.add("numpy", "2.4.1", uploaded="2026-11-02T00:00:00.000000Z")
        pypi = PythonIndexConfig(index_url=index.simple, extra_index_urls=())
        config = Config(sources=Sources(pypi=pypi))
        opened: Project = replace(room.past.opened, config=config)
        yield lambda name: why(opened, NAME, name, ask=True).answers[0].offer


def test_asking_goes_up_to_the_cut_off_and_by_the_known_ranges(asked: Any) -> None:
    found = asked("numpy")
    assert (found.newest, found.fitting) == ("2.6", "2.4")
    assert "2.6 is not taken by app (pip) (<2.5,>=1.5)" in found.summary
    assert "`freeze update demo numpy`" in found.summary
    assert DATE < "2026-11-01"


def test_an_index_out_of_reach_is_no_claim(asked: Any) -> None:
    found = asked("lib")
    assert (found.newest, found.fitting) == (None, None)
    assert "no index in reach" in found.summary
    assert asked("libgomp1") is None


def test_as_json_and_as_text(room: Room, capsys: pytest.CaptureFixture[str]) -> None:
    room.past.opened.store.put_bytes(APP)
    at = ["-C", str(room.past.project)]
    assert run([*at, "why", NAME, "numpy", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["environment"], document["name"]) == (NAME, "numpy")
    (found,) = document["packages"]
    assert (found["ecosystem"], found["version"], found["requested"]) == ("pip", "1.0", True)
    assert found["parents"] == [
        {"ecosystem": "pip", "name": "app", "wanted": ["<2.5,>=1.5", "!=2.0"]}
    ]
    assert [[step["name"] for step in way] for way in found["chains"]] == [
        ["numpy"], ["app", "numpy"],
    ]  # fmt: skip
    assert found["since"] is None
    assert found["offer"] is None
    assert run([*at, "why", "app"]) == 0
    text = capsys.readouterr().out
    assert "app 1.0 from pip" in text
    assert "why       the product" in text
    assert run([*at, "why", "numpy"]) == 0
    assert "app > numpy" in capsys.readouterr().out


def test_what_packages_write_cannot_steer_the_terminal(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    app = locked(APP, "app", requested=True, reason="asked\x1b[2J for; why: [bold]loud[/bold]")
    room.put(demo(pip=(app,)))
    assert run(["-C", str(room.past.project), "why", "app"]) == 0
    text = capsys.readouterr().out
    assert "\x1b[2J" not in text
    assert "[bold]loud[/bold]" in text
