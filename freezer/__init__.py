"""Freezer: freeze the environment of an ML training job and prove it still trains the same.

``import freezer`` gives the public Python API, documented in ``docs/reference/api``: what
``__all__`` lists here, and the errors in `freezer.errors`. Every other module is internal and may
change in any release. Names are loaded on first use, so that the import itself costs nothing.
"""

from importlib import import_module

# The package `freezer.check` and the function `freezer.check` have the same name. A submodule is
# bound in its parent when it is first imported: here, so that no later import hides the function.
import freezer.check as _room

TYPE_CHECKING = False  # type checkers take it for true; importing `typing` would take 8 ms
if TYPE_CHECKING:
    from freezer import errors
    from freezer.api.commands import build, check, lock, rollback, update
    from freezer.api.events import Event
    from freezer.api.project import Project, open_project
    from freezer.api.results import (
        BuildResult,
        CheckResult,
        Limit,
        LockResult,
        Move,
        Package,
        RollbackResult,
        TrainingResult,
        UpdateResult,
    )
    from freezer.errors import FreezerError

__version__ = "0.1.0"

__all__ = [
    "BuildResult",
    "CheckResult",
    "Event",
    "FreezerError",
    "Limit",
    "LockResult",
    "Move",
    "Package",
    "Project",
    "RollbackResult",
    "TrainingResult",
    "UpdateResult",
    "__version__",
    "build",
    "check",
    "errors",
    "lock",
    "open_project",
    "rollback",
    "update",
]

_HOMES = {
    "freezer.api.commands": ("build", "check", "lock", "rollback", "update"),
    "freezer.api.events": ("Event",),
    "freezer.api.project": ("Project", "open_project"),
    "freezer.api.results": (
        "BuildResult",
        "CheckResult",
        "Limit",
        "LockResult",
        "Move",
        "Package",
        "RollbackResult",
        "TrainingResult",
        "UpdateResult",
    ),
    "freezer.errors": ("FreezerError",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

del _room
globals().pop("check")  # the package; `sys.modules` keeps it

if not TYPE_CHECKING:  # for a type checker, a name that is not listed above does not exist

    def __getattr__(name: str) -> object:
        """Load a public name on first use."""
        if name == "errors":
            return import_module("freezer.errors")
        if name not in _HOME:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
