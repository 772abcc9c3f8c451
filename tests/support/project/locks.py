"""A complete small lock, for tests that need one and do not care where it came from."""

from __future__ import annotations

from typing import Any

from freezer.model.lock import (
    BasePackage,
    Component,
    DebianPackage,
    ImageRuntime,
    Lock,
    PipPackage,
    PythonTarget,
    RegistryBase,
    SmokePlan,
    Target,
)


def sha(digit: str) -> str:
    return digit * 64


def make_lock(**changes: Any) -> Lock:
    values: dict[str, Any] = {
        "name": "demo",
        "answers": {"base": f"sha256:{sha('1')}", "pip": f"sha256:{sha('2')}"},
        "as_of": "2026-11-01T00:00:00Z",
        "platform": "linux/amd64",
        "target": Target(
            architecture="x86_64",
            glibc="2.36",
            distribution="debian 12",
            python=PythonTarget(version="3.11.2", abi="cp311", executable="/usr/bin/python3.11"),
        ),
        "base": RegistryBase(
            reference="debian:bookworm-slim",
            manifest=f"sha256:{sha('3')}",
            config=f"sha256:{sha('4')}",
            diff_ids=(f"sha256:{sha('5')}",),
            packages=(BasePackage(name="libc6", version="2.36-9", architecture="amd64"),),
        ),
        "debian": (
            DebianPackage(
                source="debian",
                file="pool/main/g/gcc-12/libgomp1_12.2.0-14_amd64.deb",
                size=116000,
                sha256=sha("6"),
                name="libgomp1",
                version="12.2.0-14",
                architecture="amd64",
                requested=True,
                reason="requested in freeze.yaml",
            ),
        ),
        "pip": (
            PipPackage(
                source="pypi",
                file="numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64.whl",
                size=16918164,
                sha256=sha("7"),
                name="numpy",
                version="2.4.6",
                requested=True,
                reason="requested in freeze.yaml",
            ),
        ),
        "components": (Component(role="libc", name="glibc", version="2.36-9", provider="base"),),
        "environment": {"PYTHONHASHSEED": "0"},
        "smoke": SmokePlan(trainings=("numpy",), seed=1234, cpus=1, memory="2g", timeout=600),
        "inside": ImageRuntime(version="1", sha256=sha("8")),
    }
    return Lock(**{**values, **changes})
