"""From a spec's document to a ``Spec``, with every fault named in the user's terms."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from freezer.errors import SpecError, Where
from freezer.model.base import Model, kebab
from freezer.model.spec.expect import ClassesExpect, Expectation, MonotoneExpect
from freezer.model.spec.faults import joined
from freezer.model.spec.spec import (
    TRAININGS,
    AcceleratorSpec,
    BootstrapSpec,
    CondaSpec,
    DataSpec,
    DeterminismSpec,
    PipSpec,
    ResourcesSpec,
    SmokeSpec,
    Spec,
    StepsSpec,
)
from freezer.model.yaml_document import Document, dotted, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from freezer.model.yaml_document import Path

_SECTIONS: dict[str, type[Model]] = {
    "": Spec,
    "base": BootstrapSpec,
    "pip": PipSpec,
    "conda": CondaSpec,
    "accelerator": AcceleratorSpec,
    "determinism": DeterminismSpec,
    "smoke": SmokeSpec,
    "steps": StepsSpec,
    "resources": ResourcesSpec,
    "data.*": DataSpec,
    "expect.*": Expectation,
    "expect.*.monotone": MonotoneExpect,
    "expect.*.classes": ClassesExpect,
}
_EXPECTED: dict[str, str] = {
    "name": "lower-case letters, digits, '-', '_' and '.', at most 64, such as sklearn-cpu",
    "base": "an image such as debian:bookworm-slim, or {bootstrap: bookworm}",
    "base.bootstrap": "a Debian suite such as bookworm",
    "platform": "linux/amd64 or linux/arm64",
    "python": 'a minor version in quotes, such as "3.11"',
    "system": "a list of Debian packages, such as [gcc, libgomp1=12.2.0-14], or auto",
    "pip": "a list of requirements, a requirements file, a pyproject.toml, or a mapping",
    "conda": "an environment.yml, a lockfile, or a mapping of channels and dependencies",
    "conda.resolver": "rattler or conda-lock",
    "accelerator.cuda": 'a toolkit in quotes, such as "12.4"',
    "accelerator.cudnn": 'a version in quotes, such as "9"',
    "accelerator.driver": 'a floor, such as ">=550.54.14"',
    "blas": "openblas, mkl, netlib or blis",
    "as-of": "a moment with a time zone, such as 2026-11-01T00:00:00Z",
    "data": "names and their folder, file or glob, such as {train: data/train}",
    "data.*.expect": "a SHA-256, as `freeze data status` prints it",
    "expect": "names and what is expected of them, such as {loss: {finite: true}}",
    "expect.*": "a mapping, such as {finite: true, floor: 0.9}",
    "expect.*.finite": "true or false",
    "expect.*.range": "the least and the greatest value, such as [0, 1] or [0, any]",
    "expect.*.floor": "a finite number",
    "expect.*.ceiling": "a finite number",
    "expect.*.monotone": "falling, rising, or {direction: falling, window: 5, tolerance: 0.01}",
    "expect.*.monotone.direction": "falling or rising",
    "expect.*.monotone.window": "a whole number of steps, from 1",
    "expect.*.monotone.tolerance": "a relative tolerance from 0 to 1",
    "expect.*.shape": "the sizes of a tensor, such as [784, 10] or [any, 10]",
    "expect.*.classes": "a mapping, such as {min-share: 0.05} or {like: train, tolerance: 0.02}",
    "expect.*.classes.shares": "a share from 0 to 1 for each class",
    "expect.*.classes.tolerance": "a difference of shares from 0 to 1",
    "expect.*.in": "run, check or both",
    "expect.*.optional": "true or false",
    "resources": "a mapping, such as {cpus: 8, memory: 16g}",
    "resources.cpus": "a whole number of CPUs, from 1",
    "resources.threads": "a whole number of threads, from 1",
    "resources.memory": "a number and one of b, k, m, g, such as 16g",
    "resources.shared-memory": "a number and one of b, k, m, g, such as 1g",
    "resources.gpus": "true or false",
    "resources.network": "true or false",
    "env": "a mapping of variables to texts of one line",
    "labels": "a mapping of labels to texts of one line",
    "steps": "a list of shell commands, or a mapping of 'run' and 'files'",
    "steps.run": "a list of shell commands",
    "smoke.cpus": "a whole number of CPUs, from 1",
    "smoke.timeout": "seconds, from 1 to 86400",
    "smoke.memory": "a number and one of b, k, m, g, such as 2g",
    "determinism.numerics": "native or portable",
    "pip.resolver": "uv or pip-tools",
}
_NAMED = (("data",), ("expect",))
"""Mappings whose keys are names of the user's own."""
_PREFIXES = ("value error, ", "assertion failed, ")


def parse_spec(data: bytes, name: str, trainings: Sequence[str]) -> tuple[Spec, Document]:
    """Return the spec in a file's bytes, and its document for later messages with lines.

    ``trainings`` are the names of the built-in ones. Raises ``SpecError``; where a file has several
    faults they are all in it.
    """
    document = read_yaml(data, name)
    try:
        return Spec.model_validate(document.values, context={TRAININGS: trainings}), document
    except ValidationError as error:
        expected = {**_EXPECTED, "smoke.training": f"{', '.join(trainings)}, or a list"}
        raise joined(_faults(error, document, name, expected)) from None


def place(document: Document, name: str, *path: str | int) -> Where:
    """Return where in its file a key of the spec stands."""
    return Where(name, document.line(path), dotted(path) or None)


def _faults(
    error: ValidationError, document: Document, name: str, expected: Mapping[str, str]
) -> list[SpecError]:
    found: dict[Path, SpecError] = {}
    for item in error.errors(include_url=False):
        path = _path(item["loc"], document.values)
        if path not in found:
            found[path] = _fault(path, item, document, name, expected)
    # A union says that none of its branches fits; the fault inside a branch says why.
    inner = [fault for path, fault in found.items() if not _is_above(path, found)]
    return sorted(inner, key=lambda fault: (fault.where.line or 0) if fault.where else 0)


def _is_above(path: Path, others: Iterable[Path]) -> bool:
    return any(path != other and path == other[: len(path)] for other in others)


def _path(location: Sequence[Any], values: Mapping[str, Any]) -> Path:
    """Return the part of pydantic's location that is the user's: union branches are not."""
    path: list[str | int] = []
    here: Any = values
    for part in location:
        if _holds(here, part):
            here = here[part]
        elif isinstance(here, dict) and _is_key(part, path):
            return (*path, part)
        else:
            continue
        path.append(part)
    return tuple(path)


def _holds(here: Any, part: Any) -> bool:
    if isinstance(here, dict):
        return part in here
    return isinstance(here, list) and isinstance(part, int) and part < len(here)


def _is_key(part: Any, path: Sequence[str | int]) -> bool:
    model = _section(tuple(path))
    return model is not None and part in _keys(model)


def _section(path: Path) -> type[Model] | None:
    """Return the model of a mapping in the spec."""
    return _SECTIONS.get(dotted(_general(path)))


def _general(path: Path) -> Path:
    """Return a path with ``*`` where the user chooses the names."""
    return (path[0], "*", *path[2:]) if path[:1] in _NAMED and len(path) > 1 else path


def _fault(
    path: Path, item: Any, document: Document, name: str, expected: Mapping[str, str]
) -> SpecError:
    where = place(document, name, *path)
    if item["type"] == "extra_forbidden":
        return _unknown(path, where)
    if item["type"] == "missing":
        return SpecError(
            f"the key {path[-1]!r} is missing",
            where=where,
            expected=_expected(path, expected),
            hint=f"add a line '{path[-1]}: ...'",
        )
    return SpecError(
        f"unusable value for {_last_key(path)!r}" if path else "unusable spec",
        where=where,
        found=_shown(path, document.values),
        expected=_own_reason(path, item) or _expected(path, expected) or _reason(item["msg"]),
        hint=_hint(path, document.values),
    )


def _own_reason(path: Path, item: Any) -> str | None:
    """Return the model's reason why keys of a mapping exclude each other."""
    named = path[:1] in _NAMED and isinstance(item["input"], dict)
    return _reason(item["msg"]) if named and item["type"] == "value_error" else None


def _last_key(path: Path) -> str:
    """Return the innermost key; an item of a list is named after its list."""
    return str(next(part for part in reversed(path) if isinstance(part, str)))


def _unknown(path: Path, where: Where) -> SpecError:
    key = str(path[-1])
    known = _keys(_section(path[:-1]) or Spec)
    near = difflib.get_close_matches(key, known, 1, 0.6)
    return SpecError(
        f"unknown key {key!r}",
        where=where,
        expected=f"one of {', '.join(sorted(known))}",
        hint=f"did you mean {near[0]!r}?" if near else "remove it, or see `freeze schema`",
    )


def _keys(model: type[Model]) -> list[str]:
    return [kebab(name) for name in model.model_fields]


def _expected(path: Path, expected: Mapping[str, str]) -> str | None:
    if path[:1] in (("env",), ("labels",)):
        path = path[:1]
    return expected.get(dotted(tuple(part for part in _general(path) if isinstance(part, str))))


_IN_PLAIN_WORDS: Final = (
    ("input should be a valid tuple", "a list"),
    ("input should be a valid list", "a list"),
    ("input should be a valid set", "a list"),
    ("input should be a valid dictionary", "a mapping of keys to values"),
    ("input should be a valid string", "text"),
    ("input should be a valid integer", "a whole number"),
    ("input should be a valid boolean", "true or false"),
)
"""What pydantic calls by Python's names, in words of YAML."""


def _reason(message: str) -> str:
    low = message[0].lower() + message[1:]
    for prefix in _PREFIXES:
        low = low.removeprefix(prefix)
    return next((plain for words, plain in _IN_PLAIN_WORDS if low.startswith(words)), low)


def _shown(path: Path, values: Any) -> str:
    for part in path:
        values = values[part]
    text = repr(values)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _hint(path: Path, values: Any) -> str | None:
    if path == ("python",) and str(values.get("python", "")).count(".") == 2:
        return "name the minor version; the base decides the patch release, and the lock records it"
    return None
