"""Existing locks taken over as they are, and completed from their channels' own records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rattler
import yaml

from freezer.errors import ArtifactGoneError, IntegrityError, ResolveError, SpecError
from freezer.fetch.config import Config
from freezer.model.events import SilentReporter
from freezer.model.spec.spec import CondaSpec, PipSpec
from freezer.resolve.conda.environment import CondaRequirements, gather_conda
from freezer.resolve.conda.nearest import nearest
from freezer.resolve.conda.solver.interface import CondaResolution
from freezer.resolve.conda.takeover.complete import import_runs, removed_from_channels
from freezer.resolve.python.requirements.gather import gather as gather_pip
from freezer.resolve.python.takeover.pins import LockedPin
from tests.support.conda.condaindex import JANUARY, Room, record
from tests.support.project.asking import TARGET

PYTHON = record("python", "3.11.4", "h1_cpython", depends=["tzdata"], timestamp=JANUARY + 5)
TZDATA = record("tzdata", "2026a", "0", subdir="noarch", noarch="generic")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path)
    made.channel("forge", PYTHON, TZDATA)
    return made


def url(room: Room, entry: dict[str, Any]) -> str:
    base = room.channels[0].urls[0]
    return f"{base}/{entry['subdir']}/{entry['name']}-{entry['version']}-{entry['build']}.conda"


def explicit(room: Room, *lines: str) -> str:
    return "\n".join(["# platform: linux-64", "@EXPLICIT", *lines, ""])


def gather(room: Room, text: str, name: str = "env.lock", **more: Any) -> CondaRequirements:
    (room.folder / name).write_text(text)
    return gather_conda(room.folder, CondaSpec(file=name), "3.11", **more)


def pip_pins(found: CondaRequirements) -> tuple[LockedPin, ...]:
    assert found.locked_pip is not None
    return found.locked_pip.pins(TARGET)


def complete(room: Room, found: CondaRequirements) -> CondaResolution:
    return import_runs(found.locked, subdir="linux-64", store=room.store, report=SilentReporter())


def conda_lock(room: Room, *entries: dict[str, Any], **more: Any) -> str:
    packages = [
        {
            "name": entry["name"],
            "version": entry["version"],
            "manager": "conda",
            "platform": "linux-64",
            "dependencies": {},
            "url": url(room, entry),
            "hash": {"md5": entry["md5"], "sha256": entry["sha256"]},
            "category": "main",
            "optional": False,
        }
        for entry in entries
    ]
    document = {
        "version": 1,
        "metadata": {
            "content_hash": {"linux-64": "a" * 64},
            "channels": [{"url": "forge", "used_env_vars": []}],
            "platforms": ["linux-64"],
            "sources": ["environment.yml"],
        },
        "package": [*packages, *more.get("extra", [])],
    }
    return yaml.safe_dump(document)


def pip_entry(**more: Any) -> dict[str, Any]:
    return {
        "name": "torch-fidelity",
        "version": "0.3.0",
        "manager": "pip",
        "platform": "linux-64",
        "dependencies": {},
        "url": "https://files.example/torch_fidelity-0.3.0-py3-none-any.whl",
        "hash": {"sha256": "c" * 64},
        "category": "main",
        "optional": False,
        **more,
    }


@pytest.mark.process
def test_an_explicit_file_is_completed_from_the_channel(room: Room) -> None:
    text = explicit(
        room, f"{url(room, PYTHON)}#{PYTHON['md5']}", f"{url(room, TZDATA)}#{TZDATA['sha256']}"
    )
    found = gather(room, text)
    assert found.specs == ()
    python, tzdata = complete(room, found).packages
    assert (python.sha256, python.size, python.timestamp) == (PYTHON["sha256"], 1000, JANUARY + 5)
    assert (python.depends, python.channel, python.subdir) == (("tzdata",), "forge", "linux-64")
    assert (python.requested, python.reason) == (True, "locked in env.lock")
    assert (tzdata.noarch, tzdata.subdir) == ("generic", "noarch")
    assert (tzdata.requested, tzdata.reason) == (False, "needed by python")


@pytest.mark.process
@pytest.mark.parametrize("kind", ["{md5}", "md5:{md5}", "{sha256}", "sha256:{sha256}"])
def test_hashes_in_every_spelling(room: Room, kind: str) -> None:
    found = gather(room, explicit(room, f"{url(room, TZDATA)}#{kind.format(**TZDATA)}"))
    [package] = complete(room, found).packages
    assert package.sha256 == TZDATA["sha256"]


def test_hashes_are_mandatory(room: Room) -> None:
    text = explicit(room, url(room, PYTHON), f"{url(room, TZDATA)}#{TZDATA['md5']}")
    with pytest.raises(SpecError, match="has no hash for some files") as caught:
        gather(room, text)
    assert caught.value.details == ("python 3.11.4",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("numpy=1.2", "URLs only"),
        ("https://conda.example/t/tk-1/numpy", "not the URL of a conda package"),
        ("https://conda.example/a/linux-64/numpy-1.2-0.conda#xyz", "neither an MD5 nor a SHA-256"),
    ],
)
def test_lines_that_cannot_be_read(room: Room, line: str, said: str) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        gather(room, explicit(room, line))
    assert str(caught.value.where) == "env.lock:3"
    assert "tk-1" not in str(caught.value)


def test_pip_lines_of_an_explicit_file(room: Room) -> None:
    line = f"# pip six @ https://files.example/six-1.16-py3-none-any.whl#sha256={'d' * 64}"
    found = gather(room, explicit(room, f"{url(room, TZDATA)}#{TZDATA['md5']}", line))
    [item] = pip_pins(found)
    assert item.pin.direct is not None
    assert item.pin.direct.url == "https://files.example/six-1.16-py3-none-any.whl"
    assert (item.pin.name, item.pin.version, item.pin.direct.sha256) == ("six", "1.16", "d" * 64)
    assert item.where.line == 4


def test_another_platforms_file_is_refused(room: Room) -> None:
    text = explicit(room, f"{url(room, PYTHON)}#{PYTHON['md5']}")
    with pytest.raises(SpecError, match="has no packages for linux-aarch64"):
        gather(room, text, subdir="linux-aarch64")


@pytest.mark.process
def test_a_conda_lock_is_taken_over_without_solving(room: Room) -> None:
    text = conda_lock(room, PYTHON, TZDATA, extra=[pip_entry()])
    found = gather(room, text, "conda-lock.yml")
    assert [item.name for item in complete(room, found).packages] == ["python", "tzdata"]
    [item] = pip_pins(found)
    assert (item.pin.name, item.pin.version) == ("torch-fidelity", "0.3.0")
    assert [file.sha256 for file in item.pin.wheels] == ["c" * 64]
    assert found.pip == ()


def test_extras_of_a_conda_lock_are_left_out_and_said(room: Room) -> None:
    extra = pip_entry(category="docs", optional=True)
    found = gather(room, conda_lock(room, PYTHON, extra=[extra]), "conda-lock.yml")
    assert found.locked_pip is None
    assert "only in docs were skipped" in found.warnings[0]


def test_a_broken_conda_lock_is_named(room: Room) -> None:
    with pytest.raises(SpecError, match="cannot be read by conda-lock"):
        gather(room, "metadata: {}\npackage: []\nversion: 7\n", "conda-lock.yml")
    with pytest.raises(SpecError, match="has no packages for linux-64"):
        gather(room, conda_lock(room), "conda-lock.yml")


def pixi_lock(room: Room, *entries: dict[str, Any], environment: str = "default") -> str:
    platform = rattler.LockPlatform("linux-64")
    lock = rattler.LockFile([platform])
    lock.set_channels(environment, [rattler.LockChannel(room.channels[0].urls[0])])
    for subdir in ("linux-64", "noarch"):
        path = room.folder / "channels" / "forge" / subdir / "repodata.json"
        channel = rattler.Channel(room.channels[0].urls[0])
        for item in rattler.SparseRepoData(channel, subdir, path).load_all_records():
            if item.name.normalized in [entry["name"] for entry in entries]:
                lock.add_conda_package(environment, platform, item)
    target = room.folder / "made.lock"
    lock.to_path(target)
    return target.read_text()


def test_a_pixi_lock_needs_no_channel(room: Room) -> None:
    text = pixi_lock(room, PYTHON, TZDATA)
    for index in (room.folder / "channels").rglob("repodata.json"):
        index.unlink()
    found = gather(room, text, "pixi.lock")
    python, tzdata = complete(room, found).packages
    assert (python.sha256, python.md5, python.size) == (PYTHON["sha256"], PYTHON["md5"], 1000)
    assert (python.build, python.depends, python.channel) == ("h1_cpython", ("tzdata",), "forge")
    assert tzdata.subdir == "noarch"


PIXI_WITH_PIP = """\
version: 6
environments:
  default:
    channels:
    - url: https://conda.example/forge/
    packages:
      linux-64:
      - conda: https://conda.example/forge/noarch/tzdata-2026a-0.conda
      - pypi: https://files.example/six-1.16.0-py2.py3-none-any.whl
packages:
- conda: https://conda.example/forge/noarch/tzdata-2026a-0.conda
  sha256: {sha256}
  md5: {md5}
  license: MIT
  size: 1000
  timestamp: 1767225600000
- pypi: https://files.example/six-1.16.0-py2.py3-none-any.whl
  name: six
  version: 1.16.0
  sha256: {other}
"""


def test_the_pip_part_of_a_pixi_lock_keeps_its_hashes(room: Room) -> None:
    text = PIXI_WITH_PIP.format(**TZDATA, other="d" * 64)
    found = gather(room, text, "pixi.lock")
    [item] = pip_pins(found)
    assert (item.pin.name, item.pin.version) == ("six", "1.16.0")
    assert [file.sha256 for file in item.pin.wheels] == ["d" * 64]
    [package] = complete(room, found).packages
    assert (package.sha256, package.channel) == (TZDATA["sha256"], "forge")


def test_a_pixi_lock_without_hashes_is_refused(room: Room) -> None:
    text = PIXI_WITH_PIP.format(**TZDATA, other="d" * 64)
    text = "\n".join(
        line for line in text.splitlines() if not line.startswith(("  md5", "  sha256"))
    ).replace("pypi: https://files.example/six", "conda: https://conda.example/forge/noarch/x")
    text = text.replace("x-1.16.0-py2.py3-none-any.whl", "x-1-0.conda")
    text = text.partition("  name: six")[0]
    with pytest.raises(SpecError, match="has no hash for some files"):
        gather(room, text, "pixi.lock")


def test_a_pixi_lock_that_cannot_be_read(room: Room) -> None:
    with pytest.raises(SpecError, match=r"cannot be read by rattler"):
        gather(room, "environments: 7\npackages: x\n", "pixi.lock")


def test_a_pixi_lock_of_other_environments_is_refused(room: Room) -> None:
    with pytest.raises(SpecError, match="no environment called 'default'") as caught:
        gather(room, pixi_lock(room, PYTHON, environment="gpu"), "pixi.lock")
    assert caught.value.found == "gpu"


def test_a_lock_takes_no_dependencies_beside_it(room: Room) -> None:
    (room.folder / "env.lock").write_text(explicit(room, f"{url(room, PYTHON)}#{PYTHON['md5']}"))
    with pytest.raises(SpecError, match="is used as it is"):
        gather_conda(room.folder, CondaSpec(file="env.lock", dependencies=("numpy",)), "3.11")


@pytest.mark.process
def test_what_the_channel_lost_is_named_with_what_it_has(room: Room) -> None:
    found = gather(room, explicit(room, f"{url(room, PYTHON)}#{PYTHON['md5']}"))
    room.channel(
        "forge",
        *(record("python", *item) for item in (("3.11.5", "h1_cpython"), ("3.12.0", "h1"))),
        record("python", "3.11.4", "h2_pypy"),
        TZDATA,
    )
    with pytest.raises(ArtifactGoneError) as caught:
        complete(room, found)
    assert caught.value.details == (
        "python 3.11.4 h1_cpython (forge): it has 3.11.4 h2_pypy, 3.11.5 h1_cpython, 3.12.0 h1",
    )


@pytest.mark.process
def test_what_the_channel_replaced_is_refused(room: Room) -> None:
    found = gather(room, explicit(room, f"{url(room, PYTHON)}#{'0' * 32}"))
    with pytest.raises(IntegrityError, match="other bytes than the locked ones"):
        complete(room, found)


@pytest.mark.process
def test_a_channel_without_sha256_cannot_complete_an_md5(room: Room) -> None:
    found = gather(room, explicit(room, f"{url(room, PYTHON)}#{PYTHON['md5']}"))
    room.channel("forge", {key: PYTHON[key] for key in PYTHON if key != "sha256"})
    with pytest.raises(ResolveError, match="a hash and a size to pin"):
        complete(room, found)


@pytest.mark.process
def test_gone_packages_are_told_before_a_build(room: Room) -> None:
    packages = room.solve("python").packages
    ask = {"subdir": "linux-64", "store": room.store, "report": SilentReporter()}
    assert removed_from_channels(packages, room.channels, **ask) == []
    room.channel("forge", record("python", "3.11.5", "h1_cpython"), {**TZDATA, "sha256": "e" * 64})
    python, tzdata = removed_from_channels(packages, room.channels, **ask)
    assert str(python) == "python 3.11.4 h1_cpython (forge): it has 3.11.5 h1_cpython"
    assert str(tzdata) == "tzdata 2026a 0 (forge): the channel has other bytes under that name"


@pytest.mark.process
def test_what_the_store_holds_is_never_gone(room: Room) -> None:
    packages = [
        item.model_copy(update={"sha256": room.store.put_bytes(b"x")})
        for item in room.solve("tzdata").packages
    ]
    room.channel("forge")
    ask = {"subdir": "linux-64", "store": room.store, "report": SilentReporter()}
    assert removed_from_channels(packages, room.channels, **ask) == []


def test_the_nearest_are_of_the_same_version_and_kind() -> None:
    others = [("1.2", "py311_mkl"), ("1.2", "py312_mkl"), ("1.3", "py312_openblas"), ("2.0", "x")]
    assert nearest("1.2", "py312_openblas", others) == (
        "1.2 py312_mkl",
        "1.2 py311_mkl",
        "1.3 py312_openblas",
    )


def test_a_question_of_a_lock_is_its_packages(room: Room) -> None:
    one = gather(room, explicit(room, f"{url(room, PYTHON)}#{PYTHON['md5']}"))
    same = gather(room, explicit(room, "# a comment", f"{url(room, PYTHON)}#{PYTHON['md5']}"))
    other = gather(room, explicit(room, f"{url(room, PYTHON)}#{'1' * 32}"))
    assert one.lines == same.lines
    assert one.lines != other.lines
    assert json.loads(json.dumps(one.lines)) == one.lines
    assert Config() == Config()


@pytest.mark.parametrize(
    ("location", "more"),
    [
        ("git+https://h.example/x/six.git?rev=main#" + "1" * 40, ""),
        ("git+https://h.example/x/six.git@" + "1" * 40, f"  sha256: {'d' * 64}\n"),
        ("git+ssh://git@h.example/x/six.git@" + "1" * 40, ""),
        ("./six", ""),
        ("./six-1.16.0-py3-none-any.whl", f"  sha256: {'d' * 64}\n"),
        ("../elsewhere/six", "  editable: true\n"),
        ("direct+https://h.example/six-1.16.0-py3-none-any.whl", ""),
        ("https://h.example/six-1.16.0-py3-none-any.whl", ""),
        ("https://h.example/six-1.16.0.tar.gz", f"  md5: {'d' * 32}\n"),
    ],
)
def test_another_package_of_the_same_name_is_never_taken_from_a_pixi_lock(
    room: Room, location: str, more: str
) -> None:
    text = PIXI_WITH_PIP.format(**TZDATA, other="d" * 64)
    text = text.replace("https://files.example/six-1.16.0-py2.py3-none-any.whl", location)
    text = text.replace(f"  sha256: {'d' * 64}\n", more)
    with pytest.raises(SpecError, match="cannot be taken over") as caught:
        gather(room, text, "pixi.lock")
    [detail] = caught.value.details
    assert detail.startswith("six ")


@pytest.mark.parametrize(
    "more",
    [
        {"url": "git+https://h.example/x/torch-fidelity.git@main"},
        {"url": "file:///home/me/torch_fidelity-0.3.0-py3-none-any.whl"},
        {"url": "https://h.example/torch_fidelity-0.3.0-py3-none-any.whl", "hash": {"md5": "a"}},
        {"source": {"type": "url", "url": "git+https://h.example/x/torch-fidelity.git@main"}},
        {"source": {"type": "url", "url": "https://h.example/x.whl"}, "hash": {}},
    ],
)
def test_another_package_of_the_same_name_is_never_taken_from_a_conda_lock(
    room: Room, more: dict[str, Any]
) -> None:
    text = conda_lock(room, PYTHON, extra=[pip_entry(**more)])
    with pytest.raises(SpecError, match="cannot be taken over") as caught:
        gather(room, text, "conda-lock.yml")
    [detail] = caught.value.details
    assert detail.startswith("torch-fidelity 0.3.0")


@pytest.mark.parametrize("url", ["git+https://h.example/x/six.git@main", "./six", "/home/me/six"])
def test_nor_from_an_explicit_file(room: Room, url: str) -> None:
    line = f"# pip six @ {url}"
    with pytest.raises(SpecError, match="cannot be taken over"):
        gather(room, explicit(room, f"{url_of_tzdata(room)}#{TZDATA['md5']}", line))


def url_of_tzdata(room: Room) -> str:
    return url(room, TZDATA)


CONDA_SOURCE = """\
version: 6
environments:
  default:
    channels:
    - url: https://conda.example/forge/
    packages:
      linux-64:
      - conda: {location}
packages:
- conda: {location}
  name: mine
  version: '0.1'
  build: h0
  subdir: noarch
  sha256: {digest}
"""


@pytest.mark.parametrize(
    "location", ["./mine", "git+https://h.example/x/mine.git?rev=main#" + "1" * 40,
                 "./built/noarch/mine-0.1-h0.conda"]
)  # fmt: skip
def test_conda_packages_from_source_are_refused_by_name(room: Room, location: str) -> None:
    text = CONDA_SOURCE.format(location=location, digest="a" * 64)
    with pytest.raises(SpecError) as caught:
        gather(room, text, "pixi.lock")
    assert "mine" in str(caught.value)


def test_a_requirement_next_to_a_locks_pip_part_is_refused(room: Room) -> None:
    found = gather(room, conda_lock(room, PYTHON, extra=[pip_entry()]), "conda-lock.yml")
    spec = PipSpec(requirements=("numpy",))
    with pytest.raises(SpecError, match="is used as it is") as caught:
        gather_pip(room.folder, spec, locked=found.locked_pip)
    assert str(caught.value.where) == "freeze.yaml (pip.requirements[0])"


@pytest.mark.parametrize("change", [{"name": "tzdata-evil"}, {"version": "2026b"}])
def test_an_archive_of_another_package_than_the_entry_names_is_refused(
    room: Room, change: dict[str, str]
) -> None:
    document = yaml.safe_load(conda_lock(room, PYTHON, TZDATA))
    document["package"][1].update(change)
    with pytest.raises(SpecError, match="an archive of another package or version"):
        gather(room, yaml.safe_dump(document))
    entry = {"url": url(room, TZDATA), "name": "tzdata", "version": "2026a", **change}
    locked = pixi_lock(room, PYTHON, TZDATA)
    document = yaml.safe_load(locked)
    for package in document["packages"]:
        if "tzdata" in str(package):
            package.update({key: entry[key] for key in ("name", "version")})
    with pytest.raises(SpecError, match=r"another package or version|cannot be read"):
        gather(room, yaml.safe_dump(document), "pixi.lock")
