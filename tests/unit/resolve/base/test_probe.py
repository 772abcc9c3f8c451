from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from freezer.engine.interface import ImageInfo, RunOptions, RunResult
from freezer.errors import EngineError, ResolveError
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.model.lock import BasePackage, PythonTarget
from freezer.resolve.base import probe as module
from freezer.resolve.base.probe import BaseFacts, probe

DEBIAN = """\
os-release\tPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
os-release\tVERSION_ID="12"
os-release\tID=debian
glibc\t2.36
has\tdpkg
package\tinstalled zlib1g 1:1.2.13 amd64
package\tinstalled apt 2.6.1 amd64
package\tconfig-files gone 1.0 amd64
package\tnot-installed never  amd64
has\tapt
apt-file\t/etc/apt/sources.list.d/debian.sources
apt-line\tTypes: deb
apt-line\t
apt-line\thas\tinjected
python\t3.12.1 cp312 cpython final /usr/local/bin/python3.12
python\t3.11.2 cp311 cpython final /usr/bin/python3.11
python\t3.13.0 cp313t cpython final /usr/bin/python3.13t
python\t3.14.0 cp314 cpython candidate /usr/bin/python3.14
python\t3.10.9 cp310 pypy final /opt/pypy bin/python3.10
"""


class OneImage:
    """An engine that holds one image and answers one thing."""

    class info:  # noqa: N801
        architecture = "x86_64"

    def __init__(self, answer: RunResult | EngineError, architecture: str = "amd64") -> None:
        self.answer = answer
        self.runs: list[RunOptions] = []
        self.id = f"sha256:{'a' * 64}"
        self.architecture = architecture

    def image(self, reference: str) -> ImageInfo | None:
        if reference != "base":
            return None
        return ImageInfo(self.id, (), (), (), 0, self.architecture, "linux", {}, {}, "", "")

    def run(self, image: str, command: Sequence[str], options: RunOptions) -> RunResult:
        self.runs.append(options)
        if isinstance(self.answer, EngineError):
            raise self.answer
        return self.answer


def said(
    stdout: str = "", stderr: str = "", code: int = 0, *, timed_out: bool = False
) -> RunResult:
    return RunResult(code, stdout.encode(), stderr.encode(), timed_out, False, 0.1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def ask(engine: Any, store: Store, image: str = "base") -> BaseFacts:
    return probe(engine, image, store=store, report=SilentReporter())


def test_everything_a_base_says_is_understood(store: Store) -> None:
    facts = ask(OneImage(said(DEBIAN)), store)
    assert (facts.architecture, facts.glibc, facts.distribution) == ("x86_64", "2.36", "debian 12")
    assert facts.packages == (
        BasePackage(name="apt", version="2.6.1", architecture="amd64"),
        BasePackage(name="zlib1g", version="1:1.2.13", architecture="amd64"),
    )
    assert facts.has_apt
    assert facts.has_dpkg


def test_pythons_keep_the_order_of_the_path_and_only_finished_cpythons_count(store: Store) -> None:
    assert ask(OneImage(said(DEBIAN)), store).pythons == (
        PythonTarget(version="3.12.1", abi="cp312", executable="/usr/local/bin/python3.12"),
        PythonTarget(version="3.11.2", abi="cp311", executable="/usr/bin/python3.11"),
    )


def test_lines_of_a_file_cannot_pass_for_anything_else(store: Store) -> None:
    assert ask(OneImage(said(DEBIAN)), store).apt_sources == (
        ("/etc/apt/sources.list.d/debian.sources", "Types: deb\n\nhas\tinjected\n"),
    )


def test_the_base_is_asked_without_network_and_rights(store: Store) -> None:
    engine = OneImage(said(DEBIAN))
    ask(engine, store)
    (options,) = engine.runs
    assert (options.network, options.read_only, options.drop_capabilities) == ("none", True, True)


def test_a_base_is_asked_once(store: Store) -> None:
    engine = OneImage(said(DEBIAN))
    assert ask(engine, store) == ask(engine, store)
    assert len(engine.runs) == 1
    engine.id = f"sha256:{'b' * 64}"
    ask(engine, store)
    assert len(engine.runs) == 2


def test_an_answer_kept_in_another_form_is_asked_for_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "get_memo", lambda self, kind, key: {"unknown": 1})
    engine = OneImage(said(DEBIAN))
    assert ask(engine, store).glibc == "2.36"
    assert len(engine.runs) == 1


def test_a_base_without_a_version_is_named_by_what_it_says(store: Store) -> None:
    assert ask(OneImage(said("os-release\tID='arch'\nglibc\t2.40\n")), store).distribution == "arch"
    assert (
        ask(OneImage(said("glibc\t2.40\n"), "arm64"), Store.open(store.root / "x")).distribution
        == "linux"
    )


@pytest.mark.parametrize(
    ("answer", "what", "found"),
    [
        (said("os-release\tID=alpine\nmusl\t/lib/ld-musl-x86_64.so.1\n"), "does not use glibc", "alpine, on musl"),
        (said("musl\t/lib/x\nglibc\t2.36\n"), "does not use glibc", "musl"),
        (said("os-release\tID=void\nglibc\tlibc\n"), "does not use glibc", "unknown libc"),
        (said("", "boom", 3), "cannot be inspected", "exit code 3"),
        (said(timed_out=True, code=137), "cannot be inspected", "120 seconds"),
        (said("", "exec /bin/sh: exec format error", 255), "does not run on this engine", "amd64"),
        (EngineError("refused", found="exec /bin/sh: exec format error"), "does not run on this engine", "amd64"),
        (
            EngineError("refused", found='exec: "/bin/sh": stat /bin/sh: no such file or directory'),
            "has no shell",
            None,
        ),
    ],
)  # fmt: skip
def test_a_base_that_cannot_be_built_on_is_refused_with_a_way_out(
    store: Store, answer: RunResult | EngineError, what: str, found: str | None
) -> None:
    with pytest.raises(ResolveError, match=what) as caught:
        ask(OneImage(answer), store)
    assert found is None or found in (caught.value.found or "")
    assert "base" in caught.value.what
    assert caught.value.hint


def test_a_platform_that_freezer_does_not_know_is_refused(store: Store) -> None:
    with pytest.raises(ResolveError, match="platform") as caught:
        ask(OneImage(said(DEBIAN), "riscv64"), store)
    assert caught.value.found == "linux/riscv64"


def test_an_engine_that_fails_otherwise_speaks_for_itself(store: Store) -> None:
    with pytest.raises(EngineError, match="went away"):
        ask(OneImage(EngineError("the engine went away")), store)


def test_an_image_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(EngineError, match="other"):
        ask(OneImage(said()), store, "other")


@pytest.mark.process
@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("path", ["{}:/nowhere:/usr/bin:/bin", "/bin:/nowhere:{}"])
def test_the_script_tells_the_truth_of_this_host(shell: str, path: str, tmp_path: Path) -> None:
    fake = tmp_path / "python3.9"
    fake.write_text("#!/bin/sh\necho 3.9.1 cp39 cpython final\n")
    fake.chmod(0o755)
    told = subprocess.run(
        [shell, "-c", module._SCRIPT.read_text()],
        env={"PATH": path.format(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == ""
    lines = told.stdout.splitlines()
    assert any(line.startswith("glibc\t2.") for line in lines)
    assert any(line.startswith("os-release\tID=") for line in lines)
    assert lines.count(f"python\t3.9.1 cp39 cpython final {fake}") == 1
