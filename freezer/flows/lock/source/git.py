"""Packages from git: a pinned commit, whose wheel is built once without network.

The lock has the wheel's hash, so bundles and stores treat it as any other. When it is nowhere, it
is built again from the commit with the locked build requirements, and must have the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from packaging.utils import canonicalize_name

from freezer.errors import FreezerError, IntegrityError, ResolveError, Where
from freezer.fetch.conda.channels import read_channels
from freezer.fetch.conda.source import CondaChannels
from freezer.fetch.debian.archive import DebianArchive
from freezer.fetch.git.repository import checkout, pin_commit
from freezer.fetch.http.redact import without_secrets
from freezer.fetch.store.download import fetch_all
from freezer.flows.lock.base import base_apt_sources
from freezer.image.assemble.from_source import build_from_source
from freezer.image.base import engine_base
from freezer.model.lock import ImageRuntime, Lock, PipPackage, SmokePlan
from freezer.resolve.python.git.stand_ins import GitWheel, wheel_metadata
from freezer.resolve.python.resolve import resolve_pip
from freezer.resolve.python.sdist import build_request, parse_requires
from freezer.resolve.python.uv.resolver import UvResolver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.debian.apt_sources import AptSource
    from freezer.fetch.git.repository import Checkout
    from freezer.fetch.store.interface import Source
    from freezer.flows.lock.interface import Below
    from freezer.flows.project.project import Project
    from freezer.resolve.python.git.requirement import GitRequirement
    from freezer.resolve.python.interface import PipRequest


_TAG_READERS: Final = frozenset({"setuptools-scm", "vcs-versioning"})
"""What reads a version from tags, below hatch-vcs and flit-scm too."""
_ARCHIVAL: Final = ".git_archival.txt"


def build_git_wheels(
    project: Project,
    requirements: Sequence[GitRequirement],
    request: PipRequest,
    below: Below,
) -> list[GitWheel]:
    """Return the wheel of each git requirement, in the store.

    Raises ``FetchError`` for a repository that cannot be reached, ``BuildError``, ``ResolveError``.
    """
    if not requirements:
        return []
    place = _place(project, request, below)
    sources = _sources(project, request, place)
    found = [_built(project, item, request, place, sources) for item in requirements]
    names = [wheel.package.name for wheel in found]
    for wheel in found:
        if names.count(wheel.package.name) > 1:
            raise ResolveError(
                f"{wheel.package.name} is required from git twice",
                where=wheel.requirement.where,
                hint="keep one of the lines",
            )
    return found


def rebuild_git_wheel(
    project: Project, lock: Lock, package: PipPackage, sources: Sequence[Source]
) -> None:
    """Rebuild a locked wheel from git. Raises ``IntegrityError`` when its bytes differ."""
    url, commit = package.url or "", package.commit or ""
    with checkout(url, commit, project.store) as tree:
        source = _source(
            project,
            tree,
            package.name,
            package.subdirectory,
            package.build_requires,
            package.describe,
        )
    built = _build(project, lock, source, sources)
    if built.sha256 != package.sha256:
        raise IntegrityError(
            f"{package.name} built again from {commit[:12]} is not the wheel that was locked",
            found=f"sha256 {built.sha256}",
            expected=f"sha256 {package.sha256}",
            hint="get it from a bundle or a store that has it (`freeze bundle`); its build is not "
            "reproducible",
        )


def _built(
    project: Project,
    item: GitRequirement,
    request: PipRequest,
    place: Lock,
    sources: Sequence[Source],
) -> GitWheel:
    try:
        commit = pin_commit(item.url, item.revision)
        with checkout(item.url, commit, project.store) as tree:
            name = item.name or item.url.rstrip("/").rpartition("/")[2].removesuffix(".git")
            folder = f"{item.subdirectory}/" if item.subdirectory else ""
            needs = parse_requires(tree.text(f"{folder}pyproject.toml"), f"{name} {commit[:12]}")
            wanted = build_request(request, needs, f"{name} {commit[:12]}")
            resolver = UvResolver()
            requires = (
                resolver.resolve(wanted, store=project.store, report=project.report).packages
                if needs
                else ()
            )
            if pointers := tree.pointers():
                project.report.warn(
                    f"{item.where}: {len(pointers)} of the files of {name} are Git LFS pointers, "
                    f"such as {pointers[0]}: the wheel has the pointers, and not what they point to"
                )
            described = tree.describe() if _reads_tags(requires) else None
            source = _source(
                project, tree, canonicalize_name(name), item.subdirectory, requires, described
            )
    except FreezerError as error:
        error.where = error.where or item.where
        raise
    built = _build(project, place, source, sources)
    real, version, metadata = wheel_metadata(project.store.verified(built.sha256), built.file)
    if item.name is not None and real != item.name:
        raise ResolveError(
            f"the repository contains another package than {item.name}",
            where=item.where,
            found=real,
            hint=f"write it as `{real} @ git+...`",
        )
    package = built.model_copy(update={"name": real, "version": version})
    return GitWheel(item, package, metadata)


def _source(
    project: Project,
    tree: Checkout,
    name: str,
    subdirectory: str | None,
    requires: tuple[PipPackage, ...],
    described: str | None,
) -> PipPackage:
    """Return the commit's files as a source distribution, in the store."""
    stem = f"{name}-{tree.commit[:12]}"
    sha256, size = tree.pack(
        project.store, stem, _archival(tree, subdirectory, requires, described)
    )
    return PipPackage(
        source="git",
        file=f"{stem}.tar",
        size=size,
        sha256=sha256,
        url=without_secrets(tree.url),
        commit=tree.commit,
        describe=described,
        subdirectory=subdirectory,
        name=name,
        version="0",
        reason="built from git",
        build_requires=requires,
    )


def _archival(
    tree: Checkout,
    subdirectory: str | None,
    requires: Sequence[PipPackage],
    described: str | None,
) -> dict[str, bytes]:
    """Return files with the version for the build, by path, if the project reads tags.

    The build sees no repository. ``git archive`` would fill in the same file.
    """
    if not _reads_tags(requires):
        return {}
    places = dict.fromkeys(("", f"{subdirectory}/" if subdirectory else ""))
    found = {f"{place}{_ARCHIVAL}": tree.text(f"{place}{_ARCHIVAL}") for place in places}
    written = tree.archival(described)
    return {path: written for path, old in found.items() if old is None or b"$Format:" in old}


def _reads_tags(requires: Sequence[PipPackage]) -> bool:
    return any(item.name in _TAG_READERS for item in requires)


def _build(
    project: Project, place: Lock, source: PipPackage, sources: Sequence[Source]
) -> PipPackage:
    needed = (*place.debian, *place.conda, *place.pip, *source.build_requires)
    wanted = [item for item in needed if item.source != "git"]
    fetch_all(wanted, store=project.store, sources=sources, report=project.report)
    engine, store, report = project.engine(), project.store, project.report
    base = engine_base(place.base, place.platform, engine=engine, store=store, report=report)
    return build_from_source(place, source, base, engine=engine, store=store, report=report)


def _sources(project: Project, request: PipRequest, place: Lock) -> tuple[Source, ...]:
    """Return the sources of the build's own packages."""

    def base_sources() -> tuple[AptSource, ...]:
        if place.base.kind != "registry":
            return ()
        return base_apt_sources(project, place.base, place.platform)

    channels = {item.channel: None for item in place.conda}
    named = read_channels(
        [(name, Where("freeze.yaml", key="conda")) for name in channels],
        folder=project.root,
        config=project.config,
    )
    return (
        CondaChannels.from_config(project.config, named),
        request.index,
        DebianArchive.from_config(
            project.config, store=project.store, base_sources=base_sources, as_of=request.as_of
        ),
    )


def _place(project: Project, request: PipRequest, below: Below) -> Lock:
    """Return a lock of the build's environment: base, Debian and conda packages, and a pip."""
    alone = replace(request, requirements=(), constraints=(), overrides=())
    pip = resolve_pip(alone, "uv", store=project.store, report=project.report).packages
    return Lock(
        name="git",
        answers={},
        as_of=request.as_of,
        platform="linux/arm64" if request.target.architecture == "aarch64" else "linux/amd64",
        target=request.target,
        base=below.base,
        debian=below.debian.packages,
        conda=below.conda.packages,
        pip=pip,
        smoke=SmokePlan(seed=0, cpus=1, memory="1g", timeout=1),
        inside=ImageRuntime(version="0", sha256="0" * 64),
    )
