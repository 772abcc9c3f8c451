"""Exports the conda half of a lock: ``conda-lock.yml``, explicit files, ``environment.yml``.

Exports are for other tools; Freezer's own lock is the authority. ``conda-lock.yml`` (format 1)
stores only part of a record, explicit files only an MD5. The content hash is the one that
conda-lock computes from `environment_yaml` and `virtual_packages_yaml`, so conda-lock detects
changes of those.
"""

from __future__ import annotations

import re
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from freezer.errors import LockError
from freezer.fetch.http.redact import redact
from freezer.model.canonical import yaml_text
from freezer.resolve.conda.content_hash import content_hashes
from freezer.resolve.conda.order import dependencies_first
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module, quiet
from freezer.resolve.conda.solver.virtual_packages import SUBDIRS, for_platform, solver_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.model.lock import CondaPackage, Lock
    from freezer.resolve.conda.solver.interface import CondaRequirement

LOCK_FILE = "conda-lock.yml"
SOURCE_FILE = "environment.yml"
VIRTUAL_FILE = "virtual-packages.yml"
_ITEM = re.compile(r"- '([^'\n]*)'\n")
_PLAIN_SOURCE = re.compile(
    rf"channels:\n((?:{_ITEM.pattern.replace('(', '(?:')})+)"
    rf"dependencies:\n((?:{_ITEM.pattern.replace('(', '(?:')})+)"
)
"""What `environment_yaml` writes without a pip part."""
_HEAD = f"""\
# Written by `freeze lock`, which has more in freeze.lock.yaml. conda-lock reads and installs this:
#     conda-lock install -n YOURENV {LOCK_FILE}
"""


def environment_yaml(
    channels: Sequence[CondaChannel], specs: Iterable[CondaRequirement], pip: Iterable[str] = ()
) -> bytes:
    """Return the requirements as an ``environment.yml``, readable by conda and conda-lock."""
    lines = ["channels:", *(f"- {_quoted(_written(channel))}" for channel in channels)]
    lines.append("dependencies:")
    for dependencies in specs:
        text = (
            dependencies.text
            if dependencies.channel is None
            else f"{dependencies.channel}::{dependencies.text}"
        )
        lines.append(f"- {_quoted(text)}")
    rest = [f"  - {_quoted(line)}" for line in pip]
    return "\n".join([*lines, *(["- pip:", *rest] if rest else []), ""]).encode()


def virtual_packages_yaml(lock: Lock) -> bytes:
    """Return the virtual packages in the format of ``conda-lock --virtual-package-spec``."""
    subdirs = {
        subdir: {"packages": {name: _spec(name, text) for name, text in declared.items()}}
        for subdir, declared in _declared(lock).items()
    }
    return yaml_text({"subdirs": subdirs}).encode()


def conda_lock_yaml(lock: Lock, channels: Sequence[CondaChannel], source: bytes) -> bytes:
    """Return the conda packages of a lock, on all its platforms, as a ``conda-lock.yml``.

    ``source`` is the ``environment.yml`` that they satisfy. Raises ``LockError`` for packages
    without an MD5, which the format requires.
    """
    packages = [
        _entry(package, subdir, channels)
        for subdir, packages in _by_subdir(lock).items()
        for package in packages
        if not package.name.startswith("__")
    ]
    document = {
        "version": 1,
        "metadata": {
            "content_hash": _content_hashes(lock, source),
            "channels": [{"url": _written(one), "used_env_vars": []} for one in channels],
            "platforms": sorted(_by_subdir(lock)),
            "sources": [SOURCE_FILE],
        },
        "package": sorted(packages, key=lambda one: (one["name"], one["platform"])),
    }
    # conda-lock's own models and writer give the same bytes, as the tests hold, but take longer to
    # import and to write than the solve takes.
    dumper = getattr(yaml, "CDumper", yaml.Dumper)
    return (_HEAD + str(yaml.dump(document, Dumper=dumper, sort_keys=False))).encode()


def explicit_text(lock: Lock, platform: str, channels: Sequence[CondaChannel]) -> str:
    """Return the conda packages of one platform (``linux/amd64``) as an explicit file.

    Dependencies come first. Raises ``LockError`` for a platform that the lock does not have.
    """
    subdir = SUBDIRS.get(platform, platform)
    packages = _by_subdir(lock).get(subdir)
    if packages is None:
        raise LockError(
            f"the lock has no conda packages for {platform}",
            found=", ".join(sorted(_by_subdir(lock))) or "none",
        )
    lines = [
        f"{_url(package, channels)}#{package.md5 or f'sha256:{package.sha256}'}"
        for package in dependencies_first(packages)
    ]
    head = [f"# platform: {subdir}", "# Written by `freeze lock`; freeze.lock.yaml has the rest."]
    return "\n".join([*head, "@EXPLICIT", *lines, ""])


def _by_subdir(lock: Lock) -> dict[str, tuple[CondaPackage, ...]]:
    found: dict[str, tuple[CondaPackage, ...]] = {}
    if lock.conda:
        found[SUBDIRS[lock.platform]] = lock.conda
    for platform, packages in lock.conda_elsewhere.items():
        found[SUBDIRS[platform]] = packages
    return found


def _declared(lock: Lock) -> dict[str, dict[str, str]]:
    return {
        subdir: for_platform(lock.virtual_packages, subdir)
        for subdir in SUBDIRS.values()
        if subdir in _by_subdir(lock)
    }


def _spec(name: str, text: str) -> str:
    """Return a virtual package's version, or its build for ``__archspec``."""
    _, version, build = solver_form(name, text)
    return version if build == "0" else f"{version} {build}"


def _entry(package: CondaPackage, subdir: str, channels: Sequence[CondaChannel]) -> dict[str, Any]:
    if package.md5 is None:
        raise LockError(
            f"{package.file} has no MD5, which {LOCK_FILE} requires",
            hint="re-index the channel with a tool that writes MD5 as well",
        )
    return {
        "name": package.name,
        "version": package.version,
        "manager": "conda",
        "platform": subdir,
        "dependencies": _dependencies(package.depends),
        "url": _url(package, channels),
        "hash": {"md5": package.md5, "sha256": package.sha256},
        "build": package.build,
        "category": "main",
        "optional": False,
    }


def _dependencies(depends: Iterable[str]) -> dict[str, str]:
    """Map names to versions as in conda-lock; several specs of a name are joined."""
    found: dict[str, list[str]] = {}
    for text in depends:
        name, version = _parsed(text)
        versions = found.setdefault(name, [])
        if version != "*":
            versions.append(version)
    return {name: ",".join(dict.fromkeys(versions)) for name, versions in sorted(found.items())}


@lru_cache(maxsize=1 << 12)  # many packages share dependencies
def _parsed(text: str) -> tuple[str, str]:
    from rattler import MatchSpec

    spec = MatchSpec(text)
    return str(spec.name.normalized), spec.version or "*"


def _content_hashes(lock: Lock, source: bytes) -> dict[str, str]:
    """Return the content hashes that conda-lock computes from the same input, by platform."""
    written = _PLAIN_SOURCE.fullmatch(source.decode())
    virtual = {
        subdir: {name: _virtual(name, text) for name, text in declared.items()}
        for subdir, declared in _declared(lock).items()
    }
    if written is not None:
        channels, requirements = (_ITEM.findall(part) for part in written.groups())
        hashes = content_hashes(channels, requirements, virtual)
        if hashes is not None:
            return hashes
    with tempfile.TemporaryDirectory(prefix="freezer-export-") as folder:
        return conda_locks_hashes(lock, source, Path(folder))


def _virtual(name: str, text: str) -> tuple[str, str]:
    """Return the version and the build of a virtual package; an empty build for none."""
    version, _, build = _spec(name, text).partition(" ")
    return version, build


def conda_locks_hashes(lock: Lock, source: bytes, folder: Path) -> dict[str, str]:
    """Return the content hashes as conda-lock itself computes them, in a folder for its input."""
    (folder / SOURCE_FILE).write_bytes(source)
    (folder / VIRTUAL_FILE).write_bytes(virtual_packages_yaml(lock))
    # conda-lock downloads a table of PyPI names unless it is given one.
    (folder / "names.json").write_text("{}")
    with quiet():
        spec = _spec_of(folder, sorted(_by_subdir(lock)))
    virtual = conda_lock_module("virtual_package")
    repository = virtual.virtual_package_repo_from_specification(folder / VIRTUAL_FILE)
    hashes: Mapping[str, str] = conda_lock_module("content_hash").compute_content_hashes(
        spec, repository
    )
    return dict(hashes)


def _spec_of(folder: Path, subdirs: list[str]) -> Any:
    try:
        return conda_lock_module("src_parser").make_lock_spec(
            src_files=[folder / SOURCE_FILE],
            platform_overrides=subdirs,
            mapping_url=(folder / "names.json").as_uri(),
        )
    except Exception as error:
        raise LockError(
            f"conda-lock cannot read the {SOURCE_FILE} for {LOCK_FILE}",
            found=redact(str(error).splitlines()[0]) if str(error) else type(error).__name__,
            hint="conda-lock often cannot read options in the pip part",
        ) from error


def _written(channel: CondaChannel) -> str:
    """Return a channel as conda accepts it: its name, where that is enough."""
    return channel.name if channel.is_default else channel.address


def _url(package: CondaPackage, channels: Sequence[CondaChannel]) -> str:
    from freezer.fetch.conda.channels import default_url

    known = {channel.name: channel.address for channel in channels}
    base = known.get(package.channel) or default_url(package.channel)
    return f"{base}/{package.subdir}/{package.file}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
