"""From a spec's document to a ``Spec``, with every fault named in the user's terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.model.spec.document_kind import DocumentKind, place
from freezer.model.spec.expect import ClassesExpect, Expectation, MonotoneExpect
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
from freezer.model.yaml_document import read_yaml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.model.base import Model
    from freezer.model.yaml_document import Document, Path

__all__ = ["parse_spec", "place"]
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
    "expect.*.classes.min-share": "a share from 0 to 1",
    "expect.*.classes.max-share": "a share from 0 to 1",
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


def parse_spec(data: bytes, name: str, trainings: Sequence[str]) -> tuple[Spec, Document]:
    """Return the spec in a file's bytes, and its document for later messages with lines.

    ``trainings`` are the names of the built-in ones. Raises ``SpecError``; where a file has several
    faults they are all in it.
    """
    document = read_yaml(data, name)
    kind = DocumentKind(
        "spec",
        _SECTIONS,
        {**_EXPECTED, "smoke.training": f"{', '.join(trainings)}, or a list"},
        more="remove it, or see `freeze schema`",
        named=("data", "expect"),
        alike=("env", "labels"),
        hint=_hint,
    )
    return kind.validate(document, name, {TRAININGS: trainings}), document


def _hint(path: Path, values: Any) -> str | None:
    if path == ("python",) and str(values.get("python", "")).count(".") == 2:
        return "name the minor version; the base decides the patch release, and the lock records it"
    return None
