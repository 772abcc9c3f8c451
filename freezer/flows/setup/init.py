"""``freeze init``: a first spec, from what is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freezer.errors import HostError, SpecError, Where
from freezer.fetch.store.atomic import write_atomically
from freezer.flows.project.environment import SPEC_FILE
from freezer.flows.setup.discover import MINORS, discover, host_minor
from freezer.frameworks import trainings
from freezer.image.dockerfile import render
from freezer.model.spec.validate import parse_spec

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.flows.setup.discover import Found
    from freezer.flows.setup.files.seen import Seen

_DEBIAN_PYTHON = {"bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13"}
"""Each suite has one Python: https://wiki.debian.org/Python"""


@dataclass(frozen=True)
class Written:
    """The spec that was written."""

    path: Path
    text: str
    notes: tuple[str, ...]


def init(
    project: Path,
    *,
    name: str | None = None,
    base: str | None = None,
    bootstrap: str | None = None,
    python: str | None = None,
    force: bool = False,
) -> Written:
    """Write ``freeze.yaml`` from the files by which a project declares its environment.

    Raises ``HostError`` when there is a spec already and not ``force``, ``SpecError`` when what
    was given cannot stand in one, or when the files that are there cannot be used.
    """
    path = project / SPEC_FILE
    if path.exists() and not force:
        raise HostError(
            f"{SPEC_FILE} is there already",
            hint="edit it, or write it anew with `freeze init --force`",
        )
    found = discover(project)
    _require_usable(found)
    notes = [*found.notes, *_choice(found)]
    conda = found.used.file if found.used and found.used.use == "conda" else None
    suite = None if conda else bootstrap
    minor = _minor(found, python, suite, notes)
    text = render(
        "spec/freeze.yaml.j2",
        name=name or found.name,
        base=base or _base(conda, minor),
        bootstrap=bootstrap,
        python=minor,
        pip_files=_pip_files(found.used),
        requirements=found.used.requirements if found.used else (),
        source=found.used.file if found.used else None,
        conda=conda,
        as_of=datetime.now(UTC).strftime("%Y-%m-%dT00:00:00Z"),
    )
    parse_spec(text.encode(), SPEC_FILE, trainings())
    if found.used is None:
        notes.append("no requirements were found here; list them under 'pip', or under 'conda'")
    write_atomically(path, text.encode())
    return Written(path, text, tuple(notes))


def _require_usable(found: Found) -> None:
    """Refuse to write an empty spec next to files that say what is needed."""
    if found.used is not None or not any(seen.advice for seen in found.seen):
        return
    raise SpecError(
        "no file here can be used as it is",
        details=[f"{s.file}: {s.kind}; {s.advice}" for s in found.seen if s.advice],
        hint="follow one of them, then run `freeze init` again",
    )


def _choice(found: Found) -> list[str]:
    """Return a line for each file that was seen: which one is used, and why the others are not."""
    used = found.used
    if used is None:
        return [f"{seen.file} is {seen.kind}, and asks for nothing" for seen in found.seen]
    others = [seen for seen in found.seen if seen is not used and seen.file not in used.files]
    return [_used(used), *(_not_used(seen, used) for seen in others)]


def _used(used: Seen) -> str:
    line = f"{used.file} is used: it is {used.kind}"
    if used.files:
        return f"{line}, and its dependencies are in {', '.join(used.files)}"
    if count := len(used.requirements):
        were = "its requirement was" if count == 1 else f"its {count} requirements were"
        return f"{line}; {were} written into the spec"
    return line


def _not_used(seen: Seen, used: Seen) -> str:
    line = f"{seen.file} is {seen.kind}, and is not used"
    if seen.python and not seen.use and not seen.advice:
        return f"{seen.file} is {seen.kind}; only its Python counts"
    if seen.advice:
        return f"{line}; {seen.advice}"
    if seen.files:
        return f"{line}; its dependencies are in {', '.join(seen.files)}"
    if seen.requirements:
        return f"{line}; list its requirements under `pip` if they are wanted too"
    if seen.use == "pip" and used.use == "pip" and _goes_with(seen, used):
        return (
            f"{line}; add it under `pip: {{files: [{used.file}, {seen.file}]}}` if it is wanted too"
        )
    return f"{line}; write `{seen.use}: {seen.file}` to use it instead" if seen.use else line


def _goes_with(seen: Seen, used: Seen) -> bool:
    """Say whether one file of requirements may stand next to another one in a spec.

    No lock does, and no file that was compiled from the other one.
    """
    stem = used.file.rpartition(".")[0]
    compiled = {seen.file, used.file} == {f"{stem}.in", f"{stem}.txt"}
    return seen.rank < 60 and not (used.requirements or used.files or compiled)


def _minor(found: Found, given: str | None, suite: str | None, notes: list[str]) -> str:
    """Return the minor version of Python to write: given, the suite's, or one the files allow."""
    allowed = found.allowed()
    said = [f"{item.file}: {item.text}" for item in found.pythons]
    offered = _DEBIAN_PYTHON.get(suite or "")
    if given is not None:
        if any(not item.allows_minor(given) for item in found.pythons):
            notes.append(f"the files ask for another Python than {given}: {'; '.join(said)}")
        if offered not in (None, given):
            raise _no_suite(suite or "", offered or "", [given], [f"--python {given}"])
        return given
    if not allowed:
        allowed = found.agreeing()
        if len(found.pythons) == 1 or not any(
            item.allows_minor(minor) for item in found.pythons for minor in MINORS
        ):
            raise SpecError(
                "no Python that Freezer has an image for is allowed here",
                details=said,
                expected=f"one of {', '.join(MINORS)}",
                hint="correct the file, or give --python",
            )
        notes.append(f"the files disagree about Python: {'; '.join(said)}")
    if offered is not None:
        if offered not in allowed:
            raise _no_suite(suite or "", offered, list(allowed), said)
        return offered
    return min(allowed, key=lambda minor: _distance(minor, host_minor()))


def _distance(minor: str, preferred: str) -> tuple[int, int]:
    """Return how far a minor version is from another one; of two, the older is nearer."""
    numbers = [int(text.partition(".")[2]) for text in (minor, preferred)]
    return abs(numbers[0] - numbers[1]), numbers[0]


def _no_suite(suite: str, offered: str, allowed: list[str], said: list[str]) -> SpecError:
    fitting = [f"{name} ({minor})" for name, minor in _DEBIAN_PYTHON.items() if minor in allowed]
    image = f"--base python:{allowed[-1]}-slim-bookworm"
    return SpecError(
        f"Debian {suite} has Python {offered}, not {' or '.join(allowed)}",
        where=Where(SPEC_FILE, key="python"),
        details=said,
        hint=f"give --bootstrap with {' or '.join(fitting)}, or {image}" if fitting
        else f"no suite has it; give {image}",
    )  # fmt: skip


def _pip_files(used: Seen | None) -> tuple[str, ...]:
    if used is None or used.use != "pip" or used.requirements:
        return ()
    return used.files or (used.file,)


def _base(conda: str | None, minor: str) -> str:
    """Return a base: with a Python, or without one where conda installs its own."""
    return "debian:bookworm-slim" if conda else f"python:{minor}-slim-bookworm"
