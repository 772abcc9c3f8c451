"""Locked packages by a few words, and specs of accelerators."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

from packaging.requirements import Requirement

from freezer.errors import Where
from freezer.model.lock import CondaPackage, DebianPackage, PipPackage
from freezer.model.spec.spec import AcceleratorSpec
from freezer.resolve.conda.solver.interface import CondaRequirement
from freezer.resolve.python.interface import PipRequirement

WHERE = Where("freeze.yaml", key="pip.requirements[0]")


def gpu(cuda: str = "12.8", cudnn: str | None = None, driver: str | None = None) -> AcceleratorSpec:
    return AcceleratorSpec(cuda=cuda, cudnn=cudnn, driver=driver)


def wheel(name: str, version: str = "1.0", *requires: str, requested: bool = False) -> PipPackage:
    return PipPackage(
        source="pypi",
        file=f"{name.replace('-', '_')}-{version}-cp311-cp311-manylinux_2_28_x86_64.whl",
        size=1,
        sha256="0" * 64,
        name=name,
        version=version,
        requires=requires,
        requested=requested,
        reason="requested in freeze.yaml" if requested else "needed by another",
    )


def conda(name: str, version: str = "1.0", build: str = "0", **more: Any) -> CondaPackage:
    return CondaPackage(
        source="conda",
        file=f"{name}-{version}-{build}.conda",
        size=1,
        sha256="0" * 64,
        name=name,
        version=version,
        build=build,
        build_number=0,
        subdir="linux-64",
        reason="asked for",
        **{"channel": "forge", **more},
    )


def deb(name: str, version: str = "1.0-1") -> DebianPackage:
    return DebianPackage(
        source="debian",
        file=f"pool/{name}_{version}_amd64.deb",
        size=1,
        sha256="0" * 64,
        name=name,
        version=version,
        architecture="amd64",
        reason="requested in freeze.yaml",
    )


def asks(*texts: str) -> list[PipRequirement]:
    return [PipRequirement(Requirement(text), WHERE) for text in texts]


def asks_conda(*texts: str) -> list[CondaRequirement]:
    return [CondaRequirement(text, WHERE) for text in texts]


def toolkit_wheel(*requires: str) -> bytes:
    """A ``cuda-toolkit`` wheel, as far as anyone reads it."""
    target = BytesIO()
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires)
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(
            "cuda_toolkit-13.0.2.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: cuda-toolkit\nVersion: 13.0.2\n{lines}",
        )
    return target.getvalue()
