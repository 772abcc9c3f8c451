"""Modules of the standard library that a library imports and few commands use.

pydantic imports ``entry_points`` of ``importlib.metadata``, and so ``email`` and ``csv``, to look
for plug-ins. Freezer has it look for none, and a twelfth of a short command was that import.
"""

from __future__ import annotations

import importlib
import sys
from functools import partial
from importlib.machinery import PathFinder
from threading import RLock
from types import ModuleType
from typing import Any

_LATE = {"importlib.metadata": ("entry_points",)}
"""Submodules of ``importlib``, and the functions that libraries import from them by name."""


def load_late() -> None:
    """Load these modules when something of them is used first, unless they are loaded."""
    for name, functions in _LATE.items():
        if name not in sys.modules:
            sys.modules[name] = LateModule(name, functions)


class LateModule(ModuleType):
    """Stands for a module until something of it is used.

    ``importlib.util.LazyLoader`` is not safe with threads before Python 3.12.3: a second one may
    see a module that is half loaded. It also loads the module for ``from MODULE import FUNCTION``.
    """

    def __init__(self, name: str, functions: tuple[str, ...]) -> None:
        super().__init__(name)
        spec = PathFinder.find_spec(name, importlib.__path__)
        if spec is not None:  # what the import system looks at must not load the module
            self.__spec__, self.__file__ = spec, spec.origin
            self.__path__ = spec.submodule_search_locations or []
        self._guard = RLock()
        self._module: ModuleType | None = None
        for function in functions:
            setattr(self, function, partial(self._call, function))

    def __getattr__(self, name: str) -> Any:
        """Load the module, and return something of it."""
        with self._guard:
            if self._module is None:
                if sys.modules.get(self.__name__) is self:
                    del sys.modules[self.__name__]
                self._module = importlib.import_module(self.__name__)
        return getattr(self._module, name)

    def _call(self, function: str, /, *arguments: Any, **named: Any) -> Any:
        return self.__getattr__(function)(*arguments, **named)
