"""The types in which a framework is described: frozen data without behaviour.

A description is the only place outside ``freezer/inside`` that knows a framework. Whoever needs a
fact reads it from there: the resolvers package names and GPU wheels, the audit what is not
deterministic, the comparison tolerances, the history what changes results.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Likelihood = Literal["certain", "likely", "possible", "unlikely"]
"""How likely a change is to change results; a check decides."""
Factor = Literal[
    "process",
    "call",
    "threads",
    "blas threads",
    "hash seed",
    "data range",
    "data size",
    "cpu kernels",
    "version",
]
"""What was varied in a measurement, everything else kept:

- ``process``: a fresh process each time; ``call``: calls within one process
- ``threads``: the library's own; ``blas threads``: those of its BLAS
- ``data range``, ``data size``: the dynamic range and the number of values
- ``version``: another release of the package
"""
Effect = Literal["same", "differs", "varies"]
"""What a factor does to the bits of a result:

- ``same``: none of the measurements differs in a bit
- ``differs``: each level of the factor has its own result, and repeats it
- ``varies``: the result is another one from one measurement to the next
"""


@dataclass(frozen=True, kw_only=True)
class Documented:
    """A source of non-determinism, or a remedy for one, that the maintainers document."""

    says: str
    mitigation: str
    source: str
    """URL of the documentation, or of the maintainers' statement."""
    gpu: bool = False
    """Whether it concerns GPUs only."""


@dataclass(frozen=True, kw_only=True)
class Influence:
    """Packages, or environment variables, whose change may change results."""

    pattern: str
    """Regular expression for the whole name."""
    likelihood: Likelihood
    why: str


@dataclass(frozen=True)
class Switch:
    """A determinism setting that only the framework's own interface has.

    ``freezer/inside`` sets it under the same name; an audit leaves it out to see what it does.
    """

    name: str
    gpu: bool = False
    """Whether it concerns GPUs only."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Greatest relative error of a built-in training that still counts as harmless."""

    loss: float
    tensor: float
    """By norm."""
    source: str
    """The measurements that it comes from."""


@dataclass(frozen=True)
class WheelSeries:
    """What the default wheels of a minor release are built for."""

    series: str
    """``2.8``"""
    cuda: str
    cudnn: str


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A wheel that computes on the GPU only where another package is installed with it."""

    package: str
    needs: str
    """Regular expression for the names of pip and conda packages, one of which it needs."""
    ask: str
    """The requirement that installs both; ``{major}`` stands for CUDA's major version."""


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """How a framework's GPU builds are published, and how they differ from CPU builds."""

    source: str
    """Where the facts below come from."""
    wheels: tuple[WheelSeries, ...] = ()
    """Series of wheels bound to one CUDA and cuDNN, oldest first; without local versions, as the
    public index has them."""
    cpu_wheels: Mapping[str, str] = field(default_factory=dict)
    """Wheels that are CPU builds by name, and the requirement of their GPU build."""
    companions: tuple[Companion, ...] = ()
    wheels_on_cpu: tuple[str, ...] = ()
    """Packages whose wheels have no CUDA build at all."""
    conda: tuple[str, ...] = ()
    """conda packages in CPU and GPU builds; a GPU build has ``cuda`` in its build string."""
    conda_cpu: Mapping[str, str] = field(default_factory=dict)
    """conda packages that are a CPU build by name, and the one to ask for instead."""
    conda_parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """conda package to the packages whose build it decides."""
    conda_retired: Mapping[str, str] = field(default_factory=dict)
    """conda packages of channels that publish no more, and what to do without them."""

    def __post_init__(self) -> None:
        """Make the mappings read-only."""
        _freeze(self)


@dataclass(frozen=True, kw_only=True)
class Framework:
    """All that Freezer knows of a framework, or of a library that computes."""

    title: str
    """As its makers write it: ``PyTorch``."""
    packages: tuple[str, ...]
    """Distributions on the Python package index, any one of which provides it; the usual one
    first."""
    also: tuple[str, ...] = ()
    """Further distributions that are parts of it: ``jaxlib``."""
    conda: Mapping[str, str] = field(default_factory=dict)
    """conda package to distribution, where names differ and versions do not."""
    debian: tuple[str, ...] = ()
    mistaken: tuple[str, ...] = ()
    """Names on the Python package index under which it is looked for in vain."""
    training: str | None = None
    """The built-in training, which is ``freezer_inside.<training>_training``; None for a library
    that has none."""
    tolerance: Tolerance | None = None
    """Of the built-in training."""
    seeded: bool = False
    """Whether ``freezer_inside.seed_everything`` seeds it, or sets its switches."""
    switches: tuple[Switch, ...] = ()
    loader_workers: bool = False
    """Whether the built-in training loads its data by several workers."""
    oldest_kernels: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that make it use kernels of x86-64-v2."""
    bundled_blas: Literal["openblas"] | None = None
    """The BLAS that its wheels bundle, where conda and Debian let users choose another."""
    documented: tuple[Documented, ...] = ()
    changes: tuple[Influence, ...] = ()
    """Packages whose change may change its results."""
    variables: tuple[Influence, ...] = ()
    """Environment variables that may change its results."""
    gpu: Gpu | None = None

    def __post_init__(self) -> None:
        """Make the mappings read-only."""
        _freeze(self)

    @property
    def distributions(self) -> tuple[str, ...]:
        """Every distribution on the Python package index that belongs to it."""
        return (*self.packages, *self.also)


def _freeze(instance: Gpu | Framework) -> None:
    for item in fields(instance):
        value = getattr(instance, item.name)
        if isinstance(value, dict):
            object.__setattr__(instance, item.name, MappingProxyType(value))
