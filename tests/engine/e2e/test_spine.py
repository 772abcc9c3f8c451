"""From a spec to a lock to an image that holds what the lock says, by the commands themselves."""

import json
import resource

import pytest

from freezer.engine.interface import Engine, ImageInfo, RunOptions, RunResult
from freezer.model.lock import Lock
from tests.support.host.commands import Project, outcome

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]


def inside(engine: Engine, image: ImageInfo, *command: str) -> str:
    done: RunResult = engine.run(image.id, list(command), RunOptions())
    assert done.exit_code == 0, done.stderr.decode()
    return done.stdout.decode()


def pins(lock: Lock) -> dict[str, str]:
    return {package.name: package.version for package in lock.pip}


def test_locking_again_changes_nothing_and_says_so(project: Project) -> None:
    before, written = project.lock_file.read_bytes(), project.lock_file.stat().st_mtime_ns
    assert "nothing changed" in project.freeze("lock").good().out
    assert project.lock_file.read_bytes() == before
    assert project.lock_file.stat().st_mtime_ns == written


def test_locking_from_nothing_gives_the_same_bytes(project: Project) -> None:
    before = project.lock_file.read_bytes()
    project.lock_file.unlink()
    project.freeze("lock").good()
    assert project.lock_file.read_bytes() == before


def test_a_lock_answers_its_spec_until_the_spec_asks_for_more(project: Project) -> None:
    before = project.lock_file.read_bytes()
    assert "satisfies the spec" in project.freeze("lock", "--check").good().out
    project.spec(pip=["numpy", "six"])
    project.freeze("lock", "--check").failed(1, "other Python packages")
    project.spec(pip=["numpy"], system=["libgomp1"])
    project.freeze("lock", "--check").failed(1, "other Debian packages")
    project.spec(system=[], base={"bootstrap": "trixie"})
    project.freeze("lock", "--check").failed(1, "another base")
    assert project.lock_file.read_bytes() == before


def test_a_new_requirement_leaves_all_others_alone(project: Project) -> None:
    before = project.lock
    project.spec(pip=["numpy", "six"])
    said = project.freeze("lock").good().out
    after = project.lock
    assert "six" in said
    assert pins(after).keys() - pins(before).keys() == {"six"}
    assert pins(before).items() <= pins(after).items()
    assert (after.base, after.debian, after.target) == (before.base, before.debian, before.target)
    assert {
        ecosystem
        for ecosystem in after.answers
        if after.answers[ecosystem] != before.answers[ecosystem]
    } == {"pip"}


def test_a_requirement_that_goes_takes_only_its_own(project: Project) -> None:
    before = project.lock_file.read_bytes()
    project.spec(pip=["numpy", "six"])
    project.freeze("lock").good()
    project.spec(pip=["numpy"])
    project.freeze("lock").good()
    assert project.lock_file.read_bytes() == before


def test_json_is_one_document_and_nothing_else(built: Project) -> None:
    locked = built.freeze("lock", "--json").good().document
    assert (locked["lock-id"], locked["changed"]) == (built.lock_id, False)
    assert built.freeze("lock", "--check", "--json").good().document["lock-id"] == built.lock_id
    fetched = built.freeze("fetch", "--json").good().document
    assert (fetched["lock-id"], fetched["fetched"]) == (built.lock_id, 0)
    found = built.freeze("build", "--json").good().document
    assert (found["lock-id"], found["built"], found["verified"]) == (built.lock_id, False, True)


def test_errors_are_the_one_document_as_well(project: Project) -> None:
    project.spec(pip=["numpy==0.0.1"])
    said = project.freeze("lock", "--json")
    assert said.code == 2
    assert said.document["error"] == "resolve"
    assert "numpy" in json.dumps(said.document)


def test_an_image_is_tagged_by_its_lock_and_there_already_the_second_time(
    built: Project, engine: Engine, image: ImageInfo
) -> None:
    tagged = engine.image(f"{built.name}:{built.lock_id[:12]}")
    assert tagged is not None
    assert tagged.id == image.id
    assert image.labels["org.freezer.lock-id"] == built.lock_id
    again = built.freeze("build").good().out
    assert "nothing changed" in again
    assert image.id in again


def test_nothing_to_do_takes_under_two_seconds(built: Project) -> None:
    # Of processor time: nothing is waited for, and a busy machine says nothing about the command.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "nothing changed" in outcome(built.start("build")).good().out
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_a_moved_tag_is_put_right(built: Project, engine: Engine, image: ImageInfo) -> None:
    base = engine.image(built.lock.base.config)
    assert base is not None
    engine.tag(base.id, built.name, "latest")
    built.freeze("build").good()
    found = engine.image(f"{built.name}:latest")
    assert found is not None
    assert found.id == image.id


FACTS = """
import importlib.metadata, json, os, shutil, socket, subprocess, sys
import numpy
pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
def say(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
print(json.dumps({
    "uid": os.getuid(), "home": os.path.expanduser("~"), "prefix": sys.prefix,
    "python": shutil.which("python"), "path": os.environ["PATH"].split(":")[0],
    "hash seed": os.environ["PYTHONHASHSEED"], "file": numpy.__file__,
    "check": say(*pip, "check"), "list": json.loads(say(*pip, "list", "--format=json")),
    "metadata": {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()},
    "f2py": say("/opt/env/bin/f2py", "-v").strip(),
    "interfaces": [name for _, name in socket.if_nameindex()],
}))
"""


def test_the_inside_of_the_image_is_as_it_should_be(
    built: Project, engine: Engine, image: ImageInfo
) -> None:
    found = json.loads(inside(engine, image, "python", "-c", FACTS))
    locked = pins(built.lock)
    assert (found["uid"], found["home"]) == (1000, "/home/freezer")
    assert (found["prefix"], found["python"], found["path"]) == (
        "/opt/env",
        "/opt/env/bin/python",
        "/opt/env/bin",
    )
    assert found["file"].startswith("/opt/env/lib/python3.11/site-packages/")
    assert found["hash seed"] == "0"
    assert "No broken requirements" in found["check"]
    assert {item["name"]: item["version"] for item in found["list"]} == locked
    assert found["metadata"] == locked
    assert found["f2py"] == locked["numpy"]
    assert found["interfaces"] == ["lo"]


def test_every_script_of_the_environment_starts(engine: Engine, image: ImageInfo) -> None:
    listed = inside(engine, image, "ls", "/opt/env/bin").split()
    assert {"f2py", "numpy-config", "pip", "pip3", "python", "python3.11"} <= set(listed)
    every = 'for script in /opt/env/bin/*; do "$script" --version || exit 1; done'
    inside(engine, image, "sh", "-ec", every)


def test_nothing_in_the_image_compiles_or_writes_when_it_is_used(
    engine: Engine, image: ImageInfo
) -> None:
    code = "import numpy.linalg, numpy.fft, numpy.random; print(numpy.fft.__cached__)"
    cached = inside(engine, image, "python", "-c", code).strip()
    assert cached.endswith(".cpython-311.pyc")
    inside(engine, image, "test", "-f", cached)


def test_the_lock_in_the_image_is_the_one_it_was_built_from(
    built: Project, engine: Engine, image: ImageInfo
) -> None:
    found = inside(engine, image, "cat", "/opt/freezer/freeze.lock.yaml")
    assert found.encode() == built.lock_file.read_bytes()
