"""Inspects a base image: libc, distribution, packages, Python interpreters.

A shell script runs in a container without network and privileges, so the base needs a shell.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.engine.interface import RunOptions
from freezer.errors import EngineError, ResolveError
from freezer.model.base import Model
from freezer.model.canonical import digest
from freezer.model.lock import BasePackage, PythonTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.engine.interface import Engine, ImageInfo, RunResult
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter

_MEMO = "base-facts"
_SCRIPT = Path(__file__).with_name("probe.sh")
_OPTIONS = RunOptions(user="0:0", timeout=120.0, working_dir="/")
_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC = re.compile(r"2\.[0-9]+")
_OTHER_BASE = (
    "choose a base on Debian or Ubuntu, such as debian:bookworm-slim, or {bootstrap: bookworm}"
)


class BaseFacts(Model):
    """What is known of a base image."""

    architecture: str
    """``x86_64`` or ``aarch64``."""
    glibc: str
    """Such as ``2.36``."""
    distribution: str
    """``ID VERSION_ID`` of ``/etc/os-release``, such as ``debian 12``."""
    packages: tuple[BasePackage, ...] = ()
    """Packages that dpkg lists as installed, sorted by name."""
    pythons: tuple[PythonTarget, ...] = ()
    """All CPython interpreters, in the order of ``PATH``."""
    apt_sources: tuple[tuple[str, str], ...] = ()
    """Path and text of each apt sources file."""
    has_apt: bool = False
    has_dpkg: bool = False


def probe(engine: Engine, image: str, *, store: Store, report: Reporter) -> BaseFacts:
    """Return the facts of an image in the engine; memoised by image ID.

    Raises ``ResolveError`` for an image that Freezer cannot build on: one without a shell or glibc,
    or of an architecture that the engine cannot run.
    """
    info = engine.image(image)
    if info is None:
        raise EngineError(f"the engine has no image {image}", hint="repeat the command")
    script = _SCRIPT.read_text()
    key = digest(f"{info.id} {script}".encode())
    if (known := _known(store, key)) is not None:
        return known
    with report.task("Inspecting the base image"):
        facts = _facts(image, info, _output_lines(image, _run_script(engine, image, info, script)))
    store.put_memo(_MEMO, key, facts.model_dump(mode="json"))
    return facts


def _known(store: Store, key: str) -> BaseFacts | None:
    try:
        document = store.get_memo(_MEMO, key)
        return None if document is None else BaseFacts.model_validate(document)
    except ValueError:
        return None


def _run_script(engine: Engine, image: str, info: ImageInfo, script: str) -> RunResult:
    try:
        result = engine.run(image, ["/bin/sh", "-c", script], _OPTIONS)
    except EngineError as error:
        raise _engine_failure(image, info, error, engine.info.architecture) from error
    if "exec format error" in result.stderr.decode(errors="replace"):
        raise _foreign(image, info, engine.info.architecture)
    return result


def _engine_failure(image: str, info: ImageInfo, error: EngineError, machine: str) -> Exception:
    message = (error.found or "").lower()
    if "exec format error" in message:
        return _foreign(image, info, machine)
    if "/bin/sh" in message and ("no such file" in message or "not found" in message):
        return ResolveError(
            f"the base image {image} has no shell",
            expected="a base with /bin/sh, in which packages can be installed",
            hint=_OTHER_BASE,
        )
    return error


def _foreign(image: str, info: ImageInfo, machine: str) -> ResolveError:
    return ResolveError(
        f"the base image {image} does not run on this engine",
        found=f"an image for {info.architecture}",
        expected=f"one for the engine's {machine}",
        hint="set `platform` to the engine's, or use an engine on a machine of that platform",
    )


def _output_lines(image: str, result: RunResult) -> list[tuple[str, str]]:
    if result.exit_code != 0 or result.timed_out:
        raise ResolveError(
            f"the base image {image} cannot be inspected",
            found="a timeout after 120 seconds"
            if result.timed_out
            else f"exit code {result.exit_code}",
            details=result.stderr.decode(errors="replace").splitlines()[-5:],
            hint=_OTHER_BASE,
        )
    lines = result.stdout.decode(errors="replace").split("\n")
    return [(key, value) for key, tab, value in (line.partition("\t") for line in lines) if tab]


def _facts(image: str, info: ImageInfo, fields: list[tuple[str, str]]) -> BaseFacts:
    values = {key: [value for name, value in fields if name == key] for key, _ in fields}
    distribution = _distribution(values.get("os-release", []))
    return BaseFacts(
        architecture=_architecture(image, info),
        glibc=_glibc(image, distribution, values),
        distribution=distribution,
        packages=tuple(_packages(values.get("package", []))),
        pythons=tuple(_pythons(values.get("python", []))),
        apt_sources=_apt_sources(fields),
        has_apt="apt" in values.get("has", []),
        has_dpkg="dpkg" in values.get("has", []),
    )


def _architecture(image: str, info: ImageInfo) -> str:
    if info.architecture not in _ARCHITECTURES:
        raise ResolveError(
            f"the base image {image} is for an unsupported platform",
            found=f"{info.os}/{info.architecture}",
            expected="linux/amd64 or linux/arm64",
            hint=_OTHER_BASE,
        )
    return _ARCHITECTURES[info.architecture]


def _distribution(lines: list[str]) -> str:
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    parts = (values.get(key, "").strip().strip("\"'") for key in ("ID", "VERSION_ID"))
    return " ".join(part for part in parts if part) or "linux"


def _glibc(image: str, distribution: str, values: dict[str, list[str]]) -> str:
    version = next(iter(values.get("glibc", [])), "")
    if "musl" in values or not _GLIBC.fullmatch(version):
        raise ResolveError(
            f"the base image {image} does not use glibc",
            found=f"{distribution}, on {'musl' if 'musl' in values else 'an unknown libc'}",
            expected="glibc, for which NumPy, PyTorch and others build their wheels",
            hint=_OTHER_BASE,
        )
    return version


def _packages(lines: list[str]) -> Iterator[BasePackage]:
    for line in sorted(lines):
        match line.split(" "):
            case ["installed", name, version, architecture] if name and version:
                yield BasePackage(name=name, version=version, architecture=architecture)


def _pythons(lines: list[str]) -> Iterator[PythonTarget]:
    for line in lines:
        match line.split(" ", 4):
            case [version, abi, "cpython", "final", executable] if _is_python(
                version, abi, executable
            ):
                yield PythonTarget(version=version, abi=abi, executable=executable)


def _is_python(version: str, abi: str, executable: str) -> bool:
    numbered = re.fullmatch(r"3\.\d{1,3}\.\d{1,3}", version) and re.fullmatch(r"cp3\d{1,3}", abi)
    return bool(numbered) and executable.startswith("/") and executable.isprintable()


def _apt_sources(fields: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    files: dict[str, list[str]] = {}
    current: list[str] = []
    for key, value in fields:
        if key == "apt-file":
            current = files.setdefault(value, [])
        elif key == "apt-line":
            current.append(value)
    return tuple((name, "".join(f"{line}\n" for line in text)) for name, text in files.items())
