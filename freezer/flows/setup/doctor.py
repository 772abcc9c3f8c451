"""``freeze doctor``: what is there, what is missing, and how to mend it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.engine.build.build import OVERRIDE
from freezer.engine.connect.connect import connect
from freezer.errors import EXIT_OK, EXIT_USER, FreezerError
from freezer.fetch.config import Config, load_config
from freezer.fetch.python.settings import indexes
from freezer.fetch.store.store import Store
from freezer.flows.project.environment import environments, load_environment
from freezer.flows.setup.probes import disk, engine, host, sources
from freezer.flows.setup.probes.finding import Finding, State, failed, missing, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.engine.interface import EngineInfo


def examine(project: Path | None = None) -> list[Finding]:
    """Look at everything that Freezer's work depends on. Raises nothing that a user can cause.

    ``project`` is the folder whose ``.freezer.yaml`` and specs count. Sources are asked side by
    side, for 10 seconds at most.
    """
    findings: list[Finding] = []
    info = _engine(findings)
    config = _config(project, findings)
    findings.append(_store())
    findings += _host(config, info)
    findings += _sources(config, project)
    return findings


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 0 when work is possible, 2 when something is missing without which it is not."""
    return EXIT_USER if any(item.state is State.MISSING for item in findings) else EXIT_OK


def _engine(findings: list[Finding]) -> EngineInfo | None:
    try:
        connected = connect()
    except FreezerError as error:
        findings.append(failed("engine", error))
        return None
    connected.close()
    info = connected.info
    findings += [
        engine.engine(info),
        engine.builder(info, os.environ.get(OVERRIDE)),
        engine.storage(info),
        disk.engine(info),
    ]
    return info


def _config(project: Path | None, findings: list[Finding]) -> Config:
    try:
        return load_config(project)
    except FreezerError as error:
        findings.append(failed("configuration", error))
        return Config()


def _store() -> Finding:
    try:
        return disk.store(Store.open().root)
    except FreezerError as error:
        return failed("store", error)
    except OSError as error:
        hint = "set FREEZER_STORE to a folder that you may write"
        return missing("store", f"{error.filename}: {error.strerror}", hint)


def _host(config: Config, info: EngineInfo | None) -> Iterator[Finding]:
    yield host.resolver("uv")
    yield host.resolver("pip-tools")
    yield host.conda()
    yield host.git()
    yield host.bootstrap(Path(config.sources.debian_keyring or host.KEYRING))
    yield host.gpu(info.runtimes if info else ())
    yield host.this_cpu()
    yield host.this_clock()


def _sources(config: Config, project: Path | None) -> list[Finding]:
    """Ask every source that is configured or named by a spec, all at once."""
    probes: list[sources.Probe] = []
    findings: list[Finding] = []
    try:
        probes += sources.python_indexes(indexes(config).index_urls)
    except FreezerError as error:
        findings.append(failed("python index", error))
    probes += sources.debian_archives(config.sources.debian)
    probes += sources.conda_channels(_channels(config, project))
    probes += sources.registries(config.insecure_registries)
    findings += sources.ask_all(probes)
    if not config.sources.debian:
        findings.append(
            ok("debian archive", "none configured; those of the base or of this host are used")
        )
    if not config.insecure_registries:
        told = "none configured; loopback ones and those of `docker login` work as they are"
        findings.append(ok("registry", told))
    return findings


def _channels(config: Config, project: Path | None) -> dict[str, Sequence[str]]:
    """Return the addresses of channels: configured ones, and those that specs name."""
    found: dict[str, Sequence[str]] = dict(config.sources.conda)
    if project is None:
        return found
    for name in environments(project):
        with suppress(FreezerError):  # `freeze lock` says what is wrong with a spec
            environment = load_environment(project, name or None)
            if environment.spec.conda is not None:
                from freezer.flows.lock.conda import channels_of, read_conda

                used = channels_of(read_conda(environment, config))
                found |= {one.name: one.urls for one in used}
    return found
