"""What apt in a base image would install, from indices that this host has fetched.

The container has no network: the indices lie in it as ``file:`` archives, each with its release
as signed, and apt verifies them with the base's own keys.
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
"""The base's own configuration stays out, its pins and its keys do not."""
RULES = digest((_SCRIPT.read_text() + _CONF).encode())
"""Changes when apt is asked in another way, so that remembered answers no longer hold."""
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
    """The version that the base holds now."""


@dataclass(frozen=True)
class Answer:
    """What apt would do."""

    installed: tuple[Chosen, ...]
    removed: tuple[str, ...]


def ask_apt(
    engine: Engine,
    image: str,
    indices: Sequence[Index],
    packages: Sequence[str],
    pins: Mapping[str, str],
) -> Answer:
    """Return what apt in the image would do to install some packages.

    ``pins`` are versions by name, preferred where they fit together. Raises ``ResolveError`` in
    apt's own words when nothing fits or the image has no apt, ``IntegrityError`` when apt does not
    trust an archive.
    """
    result = engine.run(
        image,
        ["/bin/sh", "-c", _SCRIPT.read_text(), "apt.sh", HERE, *packages],
        _OPTIONS,
        files=upload(indices, pins),
    )
    if result.exit_code != 0 or result.timed_out:
        raise _failure(image, result, indices)
    return parse_answer(result.stdout.decode(errors="replace"))


def parse_answer(text: str) -> Answer:
    """Return what ``apt-get -s`` says that it would do."""
    installed, removed = [], []
    for line in text.splitlines():
        if match := _CHOSEN.fullmatch(line):
            installed.append(
                Chosen(match["name"], match["version"], match["architecture"], match["old"])
            )
        elif match := _REMOVED.fullmatch(line):
            removed.append(match[1])
        elif line.startswith(("Inst ", "Remv ")):
            raise ResolveError(
                "apt in the base answers in a way that Freezer does not understand", found=line
            )
    return Answer(tuple(installed), tuple(removed))


def upload(indices: Sequence[Index], pins: Mapping[str, str]) -> bytes:
    """Return the tar of all that the script needs, to be unpacked at ``/``."""
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
    """Return the indices by release, in the order in which apt is to prefer them."""
    groups: dict[tuple[str, str], list[Index]] = {}
    for index in indices:
        groups.setdefault((index.root, index.suite), []).append(index)
    return list(groups.values())


def _archive(number: int, group: Sequence[Index]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one release: its list entry, its key, its release, its indices."""
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
    """Return apt preferences: above all archives, below the downgrade of what is installed."""
    return "".join(
        f"Package: {name}\nPin: version {version}\nPin-Priority: 995\n\n"
        for name, version in sorted(pins.items())
    )


def _failure(image: str, result: RunResult, indices: Sequence[Index]) -> Exception:
    said = (result.stdout + b"\n" + result.stderr).decode(errors="replace")
    for number, group in enumerate(_archives(indices)):
        said = re.sub(rf"file:{HERE}/{number}\b", group[0].source, said)
    if result.timed_out:
        return ResolveError(f"apt in {image} did not end within {_OPTIONS.timeout:.0f} seconds")
    if result.exit_code == 41:
        return ResolveError(
            f"the base {image} has no apt, so no Debian packages can be added to it",
            hint="choose a base on Debian or Ubuntu, or leave `system` empty and bring Python with "
            "the base",
        )
    if result.exit_code == 42:
        return IntegrityError(
            f"apt in {image} does not take a package archive",
            details=_errors(said),
            hint="the base's keyring must hold the archive's key: use a newer base, or the "
            "archive's own mirror instead of one that signs anew",
        )
    return ResolveError(
        "the Debian packages do not fit together",
        details=_reasons(said),
        hint="take out one of the packages in conflict, or its version, under `system` in the spec",
    )


def _errors(said: str) -> list[str]:
    lines = [line[3:] for line in said.splitlines() if line.startswith(("E: ", "W: "))]
    # apt 3 announces more that it then says in a form of its own.
    return list(dict.fromkeys(line for line in lines if "--solver" not in line))[:8]


def _reasons(said: str) -> list[str]:
    """Return apt's own words: from where it speaks of unmet dependencies, and its errors."""
    lines = [line for line in said.splitlines() if line.strip()]
    start = next(
        (i for i, line in enumerate(lines) if re.search(r"(?i)unmet|unsatisfied", line)), 0
    )
    indented = [line.strip() for line in lines[start + 1 :] if start and line.startswith(" ")]
    return [*indented[:12], *_errors(said)] or lines[-5:]
