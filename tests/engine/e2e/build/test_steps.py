"""The spec's own steps: in the image, the same every time, and never over what is locked."""

from __future__ import annotations

import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from freezer.engine.interface import Engine, ImageInfo, RunOptions
from freezer.fetch.store.store import Store
from freezer.image.build_container import store_name
from freezer.image.layout import STORE_LABEL
from tests.support.host.commands import Project, forget, outcome
from tests.support.registry.proxies import engine_that_goes

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

SITE = "/opt/env/lib/python3.11/site-packages"


@pytest.fixture(scope="module")
def made(stepped: Project, built: Project, image: ImageInfo, engine: Engine) -> Iterator[ImageInfo]:
    """Return the image with the steps; the one without them is looked up before."""
    facts = stepped.freeze("build", "--json").good().document
    found = engine.image(facts["image"])
    assert found is not None
    yield found
    forget(engine, found)
    built.freeze("build").good()  # its tag is this image's


def inside(engine: Engine, image: ImageInfo, command: str) -> str:
    done = engine.run(image.id, ["sh", "-c", command], RunOptions())
    assert done.exit_code == 0, done.stderr.decode()
    return done.stdout.decode()


def test_what_the_steps_did_is_in_the_image(engine: Engine, made: ImageInfo) -> None:
    assert inside(engine, made, "cat /opt/data/told") == "numpy /opt/env 1234\n"
    assert inside(engine, made, "python -c 'import own_tool; print(own_tool.words)'") == "few\n"
    listed = inside(engine, made, "stat -c '%a %u %Y %h %n' /opt/data/*")
    assert listed.splitlines() == [
        "644 0 315532800 2 /opt/data/again",
        "644 0 315532800 2 /opt/data/told",
        "644 0 315532800 1 /opt/data/words.txt",
    ]
    assert (
        inside(engine, made, "ls -A / /tmp /var/log | grep -e freezer- -e gone -e when || :") == ""
    )


def test_packages_lie_below_the_steps_and_are_shared(
    made: ImageInfo, image: ImageInfo, stepped: Project
) -> None:
    assert made.diff_ids[: len(image.diff_ids) - 1] == image.diff_ids[:-1]
    assert len(made.diff_ids) == len(image.diff_ids) + 1


def test_the_other_builder_makes_the_same_image(
    made: ImageInfo, stepped: Project, tmp_path: Path
) -> None:
    project = stepped.with_store(tmp_path / "store", without=["steps-layer"])
    said = project.freeze("build", "--force", "--json", FREEZER_BUILDER="classic").good()
    assert said.document["image"] == made.id
    assert "Running 4 steps" in said.err


CLAIMS = {
    f"printf '#' >>{SITE}/numpy/__init__.py": f"changed: {SITE}/numpy/__init__.py",
    f"rm -r {SITE}/numpy/linalg": f"removed: {SITE}/numpy/linalg and ",
    f"rm {SITE}/numpy/py.typed; mkdir {SITE}/numpy/py.typed": "replaced by a folder",
    "ln -sf /bin/true /opt/env/bin/python": "changed: /opt/env/bin/python",
    "mkdir -p /opt/freezer; : >/opt/freezer/more": "in Freezer's own folder: /opt/freezer/more",
    f"mv {SITE}/pip /opt/n; ln -s /opt/n {SITE}/pip": "replaced by something other than a folder",
}


def test_a_step_may_not_change_what_is_locked(
    locked: Project, stepped: Project, made: ImageInfo, engine: Engine, tmp_path: Path
) -> None:
    project = stepped.copy(tmp_path / "project")
    project.spec(steps=["touch /opt/env/bin/python", *CLAIMS])
    project.freeze("lock").good()
    said = project.freeze("build").failed(2, "a step of the spec changes locked files")
    assert [claim for claim in CLAIMS.values() if claim not in said.err] == []
    project.spec(steps=["printf '#' >>/usr/bin/savelog"])
    project.freeze("lock").good()
    project.freeze("build").failed(1, "/usr/bin/savelog", "one of the 'steps' in freeze.yaml")
    # What a builder makes of a working image has its label too.
    assert engine.images(label=f"{STORE_LABEL}={store_name(Store(project.store))}") == []
    title = f"org.opencontainers.image.title={project.name}"
    assert {image.labels["org.freezer.lock-id"] for image in engine.images(label=title)} <= {
        stepped.lock_id,
        locked.lock_id,
    }


def test_a_step_that_fails_says_what_it_said(
    stepped: Project, made: ImageInfo, engine: Engine, tmp_path: Path
) -> None:
    project = stepped.copy(tmp_path / "project")
    project.spec(steps=["true", "echo it was me; cat </dev/tcp-none; echo not here"])
    project.freeze("lock").good()
    failed = project.freeze("build").failed(2, "step 2 of 2", "it was me")
    assert "not here\n" not in failed.err
    connect = "import socket; socket.create_connection(('1.1.1.1', 80))"
    project.spec(steps=[f'python -c "{connect}" 2>&1 | tail -n 1; false'])
    project.freeze("lock").good()
    project.freeze("build").failed(2, "Network is unreachable")


def test_steps_that_are_killed_leave_nothing(
    stepped: Project, made: ImageInfo, engine: Engine, tmp_path: Path
) -> None:
    project = stepped.with_store(tmp_path / "store", without=["steps-layer", "verified-image"])
    (tmp_path / "proxy").mkdir()
    begun: list[subprocess.Popen[str]] = []

    def kill() -> None:
        begun[0].kill()

    with engine_that_goes(tmp_path / "proxy", engine.info.address, b"/build?", kill) as proxy:
        begun.append(project.start("build", "--force", DOCKER_HOST=proxy.address))
        assert outcome(begun[0]).code == -signal.SIGKILL
    assert project.freeze("build", "--force", "--json").good().document["image"] == made.id
    working = store_name(Store(project.store))
    assert engine.images(label=f"{STORE_LABEL}={working}") == []
    assert list((project.store / "scratch").iterdir()) == []


def test_a_changed_file_makes_the_lock_stale(stepped: Project, tmp_path: Path) -> None:
    project = stepped.copy(tmp_path / "project")
    project.freeze("lock", "--check").good()
    (project.folder / "tell.sh").chmod(0o644)
    project.freeze("lock", "--check").failed(1, "file of the steps tell.sh: another content")
    (project.folder / "tell.sh").chmod(0o755)
    (project.folder / "words.txt").write_text("words = 'many'\n")
    project.freeze("lock", "--check").failed(1, "file of the steps words.txt: another content")
    steps = yaml.safe_load((project.folder / "freeze.yaml").read_text())["steps"]
    project.spec(steps={**steps, "files": ["tell.sh"]})
    project.freeze("lock", "--check").failed(1, "file of the steps words.txt: removed")
    project.spec(steps={**steps, "files": ["none.sh"]})
    project.freeze("lock", "--check").failed(2, "none.sh cannot be read", "steps")


def test_a_new_host_takes_the_files_from_beside_the_spec_or_from_the_history(
    stepped: Project, tmp_path: Path
) -> None:
    lock = stepped.lock
    assert lock.steps is not None
    words = next(file for file in lock.steps.files if file.path == "words.txt")
    copy = stepped.copy(tmp_path / "project")
    project = copy.with_store(tmp_path / "store", without=["steps-layer", "verified-image"])
    store = Store(project.store)
    for spoil in (lambda: None, lambda: (project.folder / "words.txt").write_text("others")):
        spoil()
        store.path(words.sha256).unlink()
        project.freeze("fetch").good()
        assert store.has(words.sha256)
    store.path(words.sha256).unlink()
    for kept in project.folder.glob(f"lockfiles/*/history/*/smoke/{words.sha256}"):
        kept.unlink()
    project.freeze("build").failed(2, "words.txt, a file of the spec's own steps")


def test_a_bundle_carries_the_files(stepped: Project, tmp_path: Path) -> None:
    file = tmp_path / "one.bundle"
    stepped.freeze("bundle", "-o", str(file)).good()
    stepped.freeze("bundle", "--check", str(file)).good()
    assert stepped.lock.steps is not None
    with tarfile.open(file) as archive:
        names = archive.getnames()
    assert {f"blobs/sha256/{file.sha256}" for file in stepped.lock.steps.files} <= set(names)
