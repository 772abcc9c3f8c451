"""Simulates an installation with apt in the base image, on indices fetched by this host.

The container has no network. The indices are uploaded as ``file:`` archives, each with its signed
Release file, and apt verifies them with the keyring of the base.
"""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.engine.interface import RunOptions
from freezer.errors import IntegrityError, ResolveError
from freezer.model.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.engine.interface import Engine, RunResult
    from freezer.fetch.debian.packages_index import Index

HERE = "/freezer-apt"
_SCRIPT = Path(__file__).with_name("apt.sh")
_CONF = f"""\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{HERE}/sources.d";
Dir::State::lists "{HERE}/lists";
Dir::Cache "{HERE}/cache";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
Acquire::AllowInsecureRepositories "false";
Acquire::By-Hash "no";
Acquire::Check-Date "false";
Acquire::Check-Valid-Until "false";
Acquire::CompressionTypes::Order {{ "xz"; "gz"; }};
Acquire::Languages "none";
"""
"""Replaces the base's apt configuration; its pins and keyrings still apply."""
RULES = digest((_SCRIPT.read_text() + _CONF).encode())
"""Digest of the script and its configuration: a change invalidates the memoised results."""
_OPTIONS = RunOptions(user="0:0", read_only=False, timeout=300.0, working_dir="/")
_CHOSEN = re.compile(
    r"Inst (?P<name>[^\s:]+)(?::\S+)?(?: \[(?P<old>\S+)\])? "
    r"\((?P<version>\S+) .*\[(?P<architecture>[a-z0-9]+)\]\).*"
)
_REMOVED = re.compile(r"Remv (\S+) .*")
_ARMOUR = "-----BEGIN PGP PUBLIC KEY BLOCK-----"


@dataclass(frozen=True)
class Chosen:
    """A package that apt would install."""

    name: str
    version: str
    architecture: str
    replaces: str | None
    """The version that is installed in the base, if any."""


@dataclass(frozen=True)
class InstallPlan:
    """The result of a simulated installation."""

    installed: tuple[Chosen, ...]
    removed: tuple[str, ...]


def simulate_install(
    engine: Engine,
    image: str,
    indices: Sequence[Index],
    packages: Sequence[str],
    pins: Mapping[str, str],
) -> InstallPlan:
    """Simulate the installation of packages with apt in an image.

    ``pins`` maps package names to preferred versions. Raises ``ResolveError`` with apt's own
    message when nothing fits or the image has no apt, ``IntegrityError`` when apt rejects an
    archive's signature.
    """
    result = engine.run(
        image,
        ["/bin/sh", "-c", _SCRIPT.read_text(), "apt.sh", HERE, *packages],
        _OPTIONS,
        files=upload(indices, pins),
    )
    if result.exit_code != 0 or result.timed_out:
        raise _failure(image, result, indices)
    return parse_plan(result.stdout.decode(errors="replace"))


def parse_plan(text: str) -> InstallPlan:
    """Parse the output of ``apt-get -s``. Raises ``ResolveError`` for an unknown line."""
    installed, removed = [], []
    for line in text.splitlines():
        if match := _CHOSEN.fullmatch(line):
            installed.append(
                Chosen(match["name"], match["version"], match["architecture"], match["old"])
            )
        elif match := _REMOVED.fullmatch(line):
            removed.append(match[1])
        elif line.startswith(("Inst ", "Remv ")):
            raise ResolveError("the output of apt in the base has an unknown form", found=line)
    return InstallPlan(tuple(installed), tuple(removed))


def upload(indices: Sequence[Index], pins: Mapping[str, str]) -> bytes:
    """Return a tar archive of the script's input files, to be unpacked at ``/``."""
    files: dict[str, bytes] = {"apt.conf": _CONF.encode(), "pins": _pins(pins).encode()}
    for number, group in enumerate(_archives(indices)):
        files.update(_archive(number, group))
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            header = tarfile.TarInfo(f"{HERE.strip('/')}/{name}")
            header.size, header.mode = len(data), 0o644
            archive.addfile(header, io.BytesIO(data))
    return target.getvalue()


def _archives(indices: Sequence[Index]) -> list[list[Index]]:
    """Group the indices by release, in order of preference."""
    groups: dict[tuple[str, str], list[Index]] = {}
    for index in indices:
        groups.setdefault((index.root, index.suite), []).append(index)
    return list(groups.values())


def _archive(number: int, group: Sequence[Index]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one release: sources entry, key, Release file, indices."""
    first = group[0]
    components = " ".join(dict.fromkeys(index.component for index in group))
    entry = {
        "Types": "deb",
        "URIs": f"file:{HERE}/{number}",
        "Suites": first.suite,
        "Components": components,
        "Signed-By": " ".join(first.signed_by.split()),
    }
    if _ARMOUR in first.signed_by:
        lines = ["" if line.strip() == "." else line for line in first.signed_by.splitlines()]
        yield f"keys/{number}.asc", ("\n".join(lines).strip() + "\n").encode()
        entry["Signed-By"] = f"{HERE}/keys/{number}.asc"
    text = "".join(f"{key}: {value}\n" for key, value in entry.items() if value)
    yield f"sources.d/{number:03}.sources", text.encode()
    yield f"{number}/{first.folder}/InRelease", first.inrelease
    for index in group:
        yield f"{number}/{index.folder}/{index.packages_path}", index.packed


def _pins(pins: Mapping[str, str]) -> str:
    """Return apt preferences: prior to all archives, but too low to force a downgrade."""
    return "".join(
        f"Package: {name}\nPin: version {version}\nPin-Priority: 995\n\n"
        for name, version in sorted(pins.items())
    )


def _failure(image: str, result: RunResult, indices: Sequence[Index]) -> Exception:
    output = (result.stdout + b"\n" + result.stderr).decode(errors="replace")
    for number, group in enumerate(_archives(indices)):
        output = re.sub(rf"file:{HERE}/{number}\b", group[0].source, output)
    if result.timed_out:
        return ResolveError(f"apt in {image} did not end within {_OPTIONS.timeout:.0f} seconds")
    if result.exit_code == 41:
        return ResolveError(
            f"the base {image} has no apt, so no Debian packages can be added to it",
            hint="choose a base on Debian or Ubuntu, or leave `system` empty and use a base that "
            "has Python",
        )
    if result.exit_code == 42:
        return IntegrityError(
            f"apt in {image} rejects a package archive",
            details=_errors(output),
            hint="the base's keyring must hold the archive's key: use a newer base, or the "
            "archive's own mirror instead of one that re-signs it",
        )
    return ResolveError(
        "the Debian packages conflict",
        details=_reasons(output),
        hint="remove one of the conflicting packages, or its version, from `system` in the spec",
    )


def _errors(output: str) -> list[str]:
    lines = [line[3:] for line in output.splitlines() if line.startswith(("E: ", "W: "))]
    # apt 3 adds a hint to rerun with another solver; it is of no use here.
    return list(dict.fromkeys(line for line in lines if "--solver" not in line))[:8]


def _reasons(output: str) -> list[str]:
    """Return apt's explanation: the lines on unmet dependencies, and its errors."""
    lines = [line for line in output.splitlines() if line.strip()]
    start = next(
        (i for i, line in enumerate(lines) if re.search(r"(?i)unmet|unsatisfied", line)), 0
    )
    indented = [line.strip() for line in lines[start + 1 :] if start and line.startswith(" ")]
    return [*indented[:12], *_errors(output)] or lines[-5:]
