"""What a trial imports, and what runs it: in the trial's own environment, in a process of its own.

Standard library only, Python 3.8 or later: it runs under whatever Python an environment has.
``python -m benchmarks.atlas.inside TRIAL.py REQUEST`` runs the operations that a request (JSON)
names, and prints what they returned, as digests, in one line of JSON.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import math
import os
import platform
import struct
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, TypeVar

Function = TypeVar("Function", bound=Callable[..., object])
SAMPLES = 256
"""Values of a numeric result that are printed besides its digest, to see how far apart two are."""


def operation(
    title: str,
    *,
    factors: tuple[str, ...],
    data: str,
    setting: str | None = None,
    variables: dict[str, str] | None = None,
    note: str | None = None,
) -> Callable[[Function], Function]:
    """Mark a function of a trial as an operation to measure. Nothing is done here.

    ``title`` names it as its users write it, ``factors`` are what is varied, ``data`` says on
    what it works. ``setting`` stops the effect, by the function's parameter ``setting`` or by
    environment ``variables``; the runner measures with it too. All arguments are literals, as
    they are read without running the trial: docs/how-to/contribute-a-trial.md.
    """
    del title, factors, data, setting, variables, note
    return lambda function: function


def encoded(value: object) -> Iterator[bytes]:
    """Yield bytes that are equal for equal results only; shapes and types count.

    Raises ``TypeError`` for a value that has no exact form here: a trial converts it.
    """
    if hasattr(value, "detach"):  # a tensor of PyTorch
        value = value.detach().cpu().resolve_conj().numpy()
    if value is None or isinstance(value, (bool, int, str, bytes)):
        yield f"{type(value).__name__}:{value!r};".encode("utf-8", "surrogatepass")
    elif isinstance(value, float):
        yield b"float:" + struct.pack("<d", value)
    elif isinstance(value, (list, tuple)):
        yield f"sequence:{len(value)};".encode()
        for item in value:
            yield from encoded(item)
    elif isinstance(value, dict):
        yield f"mapping:{len(value)};".encode()
        for key, item in value.items():
            yield from encoded(key)
            yield from encoded(item)
    elif hasattr(value, "__array__"):
        yield from _array(value)
    else:
        raise TypeError(f"a trial returned {type(value).__name__}, which has no exact form")


def _array(value: Any) -> Iterator[bytes]:
    import numpy as np

    array = np.asarray(value)
    if array.dtype.hasobject:
        yield from encoded(array.tolist())
        return
    yield f"array:{array.dtype.str}:{array.shape};".encode()
    yield np.ascontiguousarray(array).tobytes()


def digest(value: object) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a result."""
    found = hashlib.sha256()
    for part in encoded(value):
        found.update(part)
    return found.hexdigest()[:16]


def sample(value: object) -> list[float]:
    """Return some values of a numeric result, evenly picked and finite; none of any other."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, float):
        return [value] if math.isfinite(value) else []
    if isinstance(value, (list, tuple)) and value:
        return sample(value[0])
    if not hasattr(value, "__array__"):
        return []
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind != "f" or not array.size:
        return []
    flat = array.ravel()[:: max(1, array.size // SAMPLES)][:SAMPLES].astype(float)
    return [float(item) for item in flat if math.isfinite(item)]


def run(function: Callable[..., object], request: dict[str, Any]) -> dict[str, Any]:
    """Return digests and samples of an operation's calls, or why it does not run."""
    known = inspect.signature(function).parameters
    given: dict[str, Any] = {"seed": 1, "threads": request["threads"]}
    given["setting"] = bool(request.get("setting"))
    arguments = {name: value for name, value in given.items() if name in known}
    found: dict[str, Any] = {"digests": [], "samples": []}
    try:
        for _ in range(request["calls"]):
            result = function(**arguments)
            found["digests"].append(digest(result))
            found["samples"].append(sample(result))
        if "seed" in known and request.get("seeds"):
            found["other-seed"] = digest(function(**{**arguments, "seed": 2}))
    except Exception as error:  # noqa: BLE001 - whatever a library raises is a result
        line = (str(error).splitlines() or [""])[0]
        found["error"] = f"{type(error).__name__}: {line}"[:200]
    return found


def load(path: Path) -> Any:
    """Return a trial as a module."""
    spec = importlib.util.spec_from_file_location("trial", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["trial"] = module  # workers and picklers look for it
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Run what is requested; whatever libraries print goes to stderr."""
    path, request = Path(sys.argv[1]), json.loads(sys.argv[2])
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        trial: Any = load(path)
    except Exception as error:  # noqa: BLE001 - a release that cannot be imported is a result
        found: dict[str, Any] = {"error": f"{type(error).__name__}: {error}"[:200]}
    else:
        found = {name: run(getattr(trial, name), request) for name in request["operations"]}
    answer.write(json.dumps({"python": platform.python_version(), "operations": found}) + "\n")
    answer.flush()
    os._exit(0)  # threads of a library may still wait for work


if __name__ == "__main__":
    main()
