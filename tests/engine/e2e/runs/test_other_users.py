"""What a run writes belongs to whoever starts it, whichever user the image names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from freezer.engine.engine import DockerEngine
from tests.support.host.commands import Project

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user"),
]
CODE = """
import os
from pathlib import Path
out = Path(os.environ["FREEZER_OUTPUT"])
(out / "deep" / "er").mkdir(parents=True)
(out / "deep" / "er" / "model").write_text("x")
(out / "private").write_text("x")
(out / "private").chmod(0o600)
print(os.getuid(), os.getgid())
"""
IMAGE_USER, STRANGER = 1000, 4321
"""The user that images name, and one that they do not know."""


@pytest.fixture(params=[IMAGE_USER, STRANGER])
def other(request: pytest.FixtureRequest, built: Project) -> Iterator[tuple[int, Project]]:
    """Give a user, and a project and store that are this user's."""
    user: int = request.param
    place = Path(tempfile.mkdtemp(prefix="freezer-other-"))
    place.chmod(0o755)  # pytest's own folders are root's alone
    project = built.copy(place / "project").with_store(place / "store")
    for path in (place, *place.rglob("*")):
        if path.is_dir() or path.is_relative_to(place / "project"):
            os.chown(path, user, user, follow_symlinks=False)
    yield user, project
    shutil.rmtree(place)


def freeze(project: Project, engine: DockerEngine, user: int, *words: str) -> str:
    """Run the command as another user, who may use the engine, and read what root may."""
    socket = urlsplit(engine.info.address).path
    group = Path(socket).stat().st_gid
    done = subprocess.run(
        [
            "setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={group}",
            "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--",
            sys.executable, "-m", "freezer", "-C", str(project.folder), *words,
        ],
        env={**os.environ, "FREEZER_STORE": str(project.store), "HOME": str(project.folder)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_files_of_a_run_are_the_caller_s(
    other: tuple[int, Project], engine: DockerEngine
) -> None:
    user, project = other
    (project.folder / "train.py").write_text(CODE)
    shown = freeze(project, engine, user, "run", "--", "python", "train.py")
    assert shown == f"{user} {user}\n"
    run = json.loads(freeze(project, engine, user, "runs", "show", "--json"))
    assert [one["path"] for one in run["outputs"]] == ["deep/er/model", "private"]
    assert "outputs.left-out" not in run["fields"]
    records = project.folder / ".freezer"
    strangers = [path for path in (records, *records.rglob("*")) if path.stat().st_uid != user]
    assert strangers == []
    output = records / "runs" / run["id"] / "output"
    subprocess.run(
        ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "rm", "-r", output],
        check=True,
    )
    detached = freeze(project, engine, user, "run", "-d", "--", "python", "train.py").strip()
    assert freeze(project, engine, user, "runs", "logs", "-f", detached).startswith(str(user))
    last = json.loads(freeze(project, engine, user, "runs", "show", detached, "--json"))
    assert (last["state"], len(last["outputs"])) == ("finished", 2)
