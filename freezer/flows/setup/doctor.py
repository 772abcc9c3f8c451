"""``freeze doctor``: what is there, what is missing, and how to mend it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.engine.build.build import OVERRIDE
from freezer.engine.connect.connect import connect
from freezer.errors import EXIT_OK, EXIT_USER, FreezerError
from freezer.fetch.config import Config, load_config
from freezer.fetch.store.store import Store
from freezer.flows.setup.probes import disk, engine, host, sources
from freezer.flows.setup.probes.finding import Finding, State, failed, missing, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.engine.interface import EngineInfo


def examine(project: Path | None = None) -> list[Finding]:
    """Look at everything that Freezer's work depends on. Raises nothing that a user can cause.

    ``project`` is the folder whose ``.freezer.yaml`` counts. Takes as long as the slowest source
    that does not answer.
    """
    findings: list[Finding] = []
    info = _engine(findings)
    config = _config(project, findings)
    findings.append(_store())
    findings += _host(config, info)
    findings += _sources(config)
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


def _sources(config: Config) -> Iterator[Finding]:
    yield from sources.debian_archives(config.sources.debian)
    yield from sources.registries(config.insecure_registries) or [
        ok(
            "registry",
            "none configured; loopback ones and those of `docker login` work as they are",
        )
    ]
