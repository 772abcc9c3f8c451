"""The conda half of a lock as other tools read it: ``conda-lock.yml``, explicit files, and source.

These are exports: ``conda-lock.yml`` (format 1) has no room for much of a record, and explicit
files hold an MD5 only. The authority is Freezer's own lock. The content hash in it is the one that
conda-lock computes from `environment_yaml` and `virtual_packages_yaml`, so that conda-lock sees
when those change.
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from freezer.errors import LockError
from freezer.fetch.http.redact import redact
from freezer.model.canonical import yaml_text
from freezer.resolve.conda.order import dependencies_first
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module, quiet
from freezer.resolve.conda.solver.virtual_packages import SUBDIRS, elsewhere, solver_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.model.lock import CondaPackage, Lock
    from freezer.resolve.conda.solver.interface import CondaRequirement

LOCK_FILE = "conda-lock.yml"
SOURCE_FILE = "environment.yml"
VIRTUAL_FILE = "virtual-packages.yml"
_HEAD = f"""\
# Written by `freeze lock`, which has more in freeze.lock.yaml. conda-lock reads and installs this:
#     conda-lock install -n YOURENV {LOCK_FILE}
"""


def environment_yaml(
    channels: Sequence[CondaChannel], specs: Iterable[CondaRequirement], pip: Iterable[str] = ()
) -> bytes:
    """Return what was requested as an ``environment.yml``, which conda and conda-lock read."""
    lines = ["channels:", *(f"- {_quoted(_written(channel))}" for channel in channels)]
    lines.append("dependencies:")
    for asked in specs:
        text = asked.text if asked.channel is None else f"{asked.channel}::{asked.text}"
        lines.append(f"- {_quoted(text)}")
    rest = [f"  - {_quoted(line)}" for line in pip]
    return "\n".join([*lines, *(["- pip:", *rest] if rest else []), ""]).encode()


def virtual_packages_yaml(lock: Lock) -> bytes:
    """Return what was declared to the solver, as ``conda-lock --virtual-package-spec`` reads it."""
    subdirs = {
        subdir: {"packages": {name: _spec(name, text) for name, text in declared.items()}}
        for subdir, declared in _declared(lock).items()
    }
    return yaml_text({"subdirs": subdirs}).encode()


def conda_lock_yaml(lock: Lock, channels: Sequence[CondaChannel], source: bytes) -> bytes:
    """Return the conda packages of a lock, on all its platforms, as a ``conda-lock.yml``.

    ``source`` is the ``environment.yml`` that they answer. Raises ``LockError`` for packages
    without an MD5, which the format demands.
    """
    models = conda_lock_module("lockfile.v2prelim.models")
    with tempfile.TemporaryDirectory(prefix="freezer-export-") as folder:
        content = models.Lockfile(
            package=[
                _entry(models, package, subdir, channels)
                for subdir, packages in _by_subdir(lock).items()
                for package in packages
            ],
            metadata=models.LockMeta(
                content_hash=_content_hashes(lock, source, Path(folder)),
                channels=[_channel(channel) for channel in channels],
                platforms=sorted(_by_subdir(lock)),
                sources=[SOURCE_FILE],
            ),
        )
    content.alphasort_inplace()
    content.filter_virtual_packages_inplace()
    # Its own writer writes the same bytes, but with an emitter in Python, which takes longer than
    # the solve.
    dumper = getattr(yaml, "CDumper", yaml.Dumper)
    text = yaml.dump(content.to_v1().dict_for_output(), Dumper=dumper, sort_keys=False)
    return (_HEAD + str(text)).encode()


def explicit_text(lock: Lock, platform: str, channels: Sequence[CondaChannel]) -> str:
    """Return the conda packages of one platform (``linux/amd64``) as an explicit file.

    Those that others need come first. Raises ``LockError`` for a platform that the lock has not.
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
        subdir: elsewhere(lock.virtual_packages, subdir)
        for subdir in SUBDIRS.values()
        if subdir in _by_subdir(lock)
    }


def _spec(name: str, text: str) -> str:
    """Return a virtual package's version, and its build where that is what counts."""
    _, version, build = solver_form(name, text)
    return version if build == "0" else f"{version} {build}"


def _entry(
    models: Any, package: CondaPackage, subdir: str, channels: Sequence[CondaChannel]
) -> Any:
    if package.md5 is None:
        raise LockError(
            f"{package.file} has no MD5, which a {LOCK_FILE} must have",
            hint="index the channel anew with a tool that writes MD5 as well",
        )
    return models.LockedDependency(
        name=package.name,
        version=package.version,
        manager="conda",
        platform=subdir,
        dependencies=_dependencies(package.depends),
        url=_url(package, channels),
        hash=models.HashModel(md5=package.md5, sha256=package.sha256),
        build=package.build,
        categories={"main"},
    )


def _dependencies(depends: Iterable[str]) -> dict[str, str]:
    """Return name to version, as conda-lock keeps them; several specs of a name are joined."""
    found: dict[str, list[str]] = {}
    for text in depends:
        name, version = _asked(text)
        versions = found.setdefault(name, [])
        if version != "*":
            versions.append(version)
    return {name: ",".join(dict.fromkeys(versions)) for name, versions in sorted(found.items())}


@lru_cache(maxsize=1 << 12)  # much is needed by many
def _asked(text: str) -> tuple[str, str]:
    from rattler import MatchSpec

    spec = MatchSpec(text)
    return str(spec.name.normalized), spec.version or "*"


def _content_hashes(lock: Lock, source: bytes, folder: Path) -> dict[str, str]:
    """Return what conda-lock would compute from the same input, by platform."""
    (folder / SOURCE_FILE).write_bytes(source)
    (folder / VIRTUAL_FILE).write_bytes(virtual_packages_yaml(lock))
    # Names of pip's packages are looked up in a table that is otherwise downloaded.
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
            f"conda-lock cannot read the {SOURCE_FILE} that {LOCK_FILE} would be made from",
            found=redact(str(error).splitlines()[0]) if str(error) else type(error).__name__,
            hint="options in its pip part are what conda-lock often cannot read",
        ) from error


def _channel(channel: CondaChannel) -> Any:
    """Return a channel as conda-lock keeps it; no secret is in it."""
    return conda_lock_module("models.channel").Channel(url=_written(channel), used_env_vars=())


def _written(channel: CondaChannel) -> str:
    """Return how to write a channel so that conda finds it: its name, where that is enough."""
    return channel.name if channel.is_default else channel.address


def _url(package: CondaPackage, channels: Sequence[CondaChannel]) -> str:
    from freezer.fetch.conda.channels import default_url

    known = {channel.name: channel.address for channel in channels}
    base = known.get(package.channel) or default_url(package.channel)
    return f"{base}/{package.subdir}/{package.file}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
