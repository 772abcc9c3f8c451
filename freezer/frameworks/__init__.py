"""What Freezer knows of each framework: one description a file, found by being there.

``freezer/frameworks/<training>.py`` holds ``DESCRIPTION``, and the training is
``freezer_inside.<training>_training``. A new framework is these two files: no list names it.
Descriptions are loaded when a fact is first needed, so that commands which need none start
quickly.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freezer.frameworks.description import Framework, Gpu

_OTHER_MODULES: Final = frozenset({"atlas", "description", "hosts", "libraries"})


@cache
def trainings() -> tuple[str, ...]:
    """Return the names of the built-in trainings, sorted. Loads no description."""
    names = {item.name for item in iter_modules(__path__)}
    return tuple(sorted(names - _OTHER_MODULES))


@cache
def frameworks() -> Mapping[str, Framework]:
    """Return the frameworks that have a built-in training, by its name, sorted."""
    return {name: framework(name) for name in trainings()}


@cache
def framework(training: str) -> Framework:
    """Return the framework of one built-in training. Loads no other."""
    found: Framework = import_module(f"{__name__}.{training}").DESCRIPTION
    return found


@cache
def described() -> tuple[Framework, ...]:
    """Return every description: frameworks first, then libraries without a training."""
    from freezer.frameworks.libraries import LIBRARIES

    return (*frameworks().values(), *LIBRARIES)


@cache
def gpus() -> tuple[Gpu, ...]:
    """Return what is known of the GPU builds of each framework that has them."""
    return tuple(item.gpu for item in described() if item.gpu is not None)


@cache
def python_names() -> Mapping[str, str]:
    """Return conda package to distribution on the Python package index, where names differ."""
    return {conda: name for item in described() for conda, name in item.conda.items()}


@cache
def mistaken_names() -> Mapping[str, str]:
    """Return names under which a framework is looked for in vain, and the right ones."""
    return {name: item.packages[0] for item in described() for name in item.mistaken}


def by_package(name: str) -> Framework | None:
    """Return the description that a distribution or conda package belongs to; None for others."""
    return _by_package().get(python_names().get(name, name))


@cache
def _by_package() -> Mapping[str, Framework]:
    return {name: item for item in described() for name in item.distributions}
