"""What every built-in training does alike, in whatever framework: tell its data, steps and weights.

A framework's own training keeps to these rules, which come from measurements:

- First weights and data are dyadic rationals: whatever differs in them is no rounding.
- No parameter has a gradient that is zero by structure (a bias before a normalisation, the bias of
  an attention's keys): an optimiser that divides by the gradient's size turns rounding into steps.
- Fewer than fifty steps: harmless rounding grows with every one of them.
- Products are large enough for the kernels that are blocked, vectorised and threaded.
"""

from __future__ import annotations

import math
import os
import random
import sys
import time
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NoReturn, Sequence, Tuple

from .data import Data, classification, digests, shuffled
from .determinism import SEED, in_force
from .hyperparameters import type_name
from .record import Recorder, canonical

ROWS, COLUMNS, CLASSES, BATCH = 2048, 64, 10, 512
WORKERS = "FREEZER_WORKERS"
"""Processes or threads that load data, by default two; an audit gives another number."""
PROCESSOR = "processor"
"""The timing of all threads and workers, in CPU time. What else a machine does changes it less than
it changes the time by a clock, but does: caches, memory and the CPU's pace are shared."""
Array = Any


def _processor() -> float:
    """Return the seconds of CPU time that this process and its ended children have had."""
    return sum(os.times()[:4])


def workers() -> int:
    """Return how many workers load data, where a framework has any."""
    return int(os.environ.get(WORKERS, "2"))


def _age() -> float:
    """Return for how many seconds this process has been there; importing a framework takes some.

    Field 22 of /proc/self/stat is when it began, in ticks since the system did: ``proc(5)``.
    """
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as stream:
            began = float(stream.read().rpartition(")")[2].split()[19])
    except OSError:
        return 0.0
    ticks = os.sysconf("SC_CLK_TCK")
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - began / ticks)


def leave() -> NoReturn:
    """End this process after a training that came to its end, with all that it told written.

    The interpreter is not taken down: that takes PyTorch up to a second, and nobody wants it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class Trainer:
    """Tells what one built-in training does, and that it makes sense."""

    def __init__(self, name: str, steps: int = 0) -> None:
        self.seed = int(os.environ[SEED])
        self.steps = steps
        self.recorder = Recorder(name)
        self._began = time.perf_counter() - _age()
        self._used = 0.0
        self._losses: Dict[str, List[float]] = {}

    def begin(self, versions: Mapping[str, str], settings: Mapping[str, Any]) -> None:
        """Tell versions, the image's settings, and the framework's own as it reads them back."""
        for name, version in versions.items():
            self.recorder.version(name, version)
        for name, value in [*sorted(in_force().items()), *settings.items()]:
            self.recorder.setting(name, value)
        generator = random.Random(self.seed)  # noqa: S311 - no secret
        self.timing("start")
        self._used = _processor()
        self.streams([("random", repr([generator.random() for _ in range(64)]).encode())])

    def hyperparameters(self, source: Any, name: str = "") -> None:
        """Tell hyperparameters as they are in force, under the training's name."""
        self.recorder.hyperparameters(
            source, ": ".join(filter(None, [self.recorder.training, name]))
        )

    def fed(self, values: Array, name: str = "features") -> None:
        """Tell of what type an array is that a model is given."""
        self.hyperparameters({f"type of {name}": type_name(values.dtype)})

    def data(self, classes: int = CLASSES) -> Data:
        """Return the training data, and tell their digests."""
        found = classification(self.seed, ROWS, COLUMNS, classes)
        for name, digest in digests(found):
            self.recorder.data(name, digest)
        return found

    def streams(self, drawn: Iterable[Tuple[str, Array]]) -> None:
        """Tell what random generators draw, each from the image's seed."""
        for name, values in drawn:
            self.recorder.random(name, canonical(values).raw)

    def order(self, passes: int = 1) -> List[int]:
        """Return the rows in another order for each pass over the data, and tell it."""
        orders = [shuffled(self.seed + 100 + number, ROWS) for number in range(passes)]
        self.recorder.data("order", repr(orders).encode())
        return [row for order in orders for row in order]

    def batches(self, size: int = BATCH) -> Iterator[Tuple[int, List[int]]]:
        """Yield ``(step, rows)`` from step 1 on."""
        self.hyperparameters({"batch": size, "steps": self.steps})
        rows = self.order(-(-self.steps * size // ROWS))
        for step in range(1, self.steps + 1):
            yield step, rows[(step - 1) * size : step * size]

    def sampled(self, step: int) -> bool:
        """Say whether more than a digest is told of this step's tensors."""
        return step in (1, (self.steps + 1) // 2, self.steps)

    def first_weights(self, weights: Mapping[str, Array]) -> None:
        """Tell first weights, which are exact: as data, which have no tolerance."""
        for name, values in weights.items():
            self.recorder.data(f"first {name}", canonical(values).raw)

    def loss(self, step: int, value: float, name: str = "loss") -> None:
        """Tell a loss. Raises ``ArithmeticError`` for one that is not a finite number."""
        self.recorder.loss(step, value, name)
        if not math.isfinite(value):
            raise ArithmeticError(f"the {name} is {value} at step {step}")
        self._losses.setdefault(name, []).append(float(value))

    def weights(self, step: int, weights: Mapping[str, Array]) -> None:
        """Tell every weight after a step."""
        for name, values in weights.items():
            self.recorder.tensor(name, values, step, sampled=self.sampled(step))

    def gradients(self, step: int, norms: Mapping[str, float]) -> None:
        """Tell the norm of all gradients at every step, and each one's at the sampled steps."""
        self.recorder.metric("gradient norm", math.hypot(*norms.values()), step)
        if self.sampled(step):
            for name, norm in norms.items():
                self.recorder.metric(f"gradient norm of {name}", norm, step)

    def ranges(self, tensors: Mapping[str, Array]) -> None:
        """Tell least and greatest element of each tensor, after the last step.

        Raises ``ArithmeticError`` where an element is not finite.
        """
        for name, values in tensors.items():
            for what, value in (("least", values.min()), ("greatest", values.max())):
                self.recorder.metric(f"{what} of {name}", float(value), self.steps)
                if not math.isfinite(float(value)):
                    raise ArithmeticError(f"{name} has an element that is {float(value)}")

    def probes(self, found: Iterable[Tuple[str, Array]]) -> None:
        """Tell single operations."""
        for name, values in found:
            self.recorder.tensor(f"probe: {name}", values)

    def race(self, name: str, results: Sequence[Array]) -> None:
        """Tell how many results an operation gave that was run several times on the same input."""
        self.recorder.metric(
            f"results of {name}", len({canonical(values).raw for values in results})
        )

    def timing(self, name: str) -> None:
        """Tell how long it took since the last time that was told."""
        now = time.perf_counter()
        self.recorder.timing(name, now - self._began)
        self._began = now

    def end(self) -> None:
        """Say that the training came to its end.

        Raises ``ArithmeticError`` where a loss did not fall: then nothing was learnt, and some
        operation computes something else than it should.
        """
        for name, values in self._losses.items():
            if len(values) > 1 and values[-1] >= values[0]:
                raise ArithmeticError(f"the {name} did not fall: {values[0]:g} to {values[-1]:g}")
        self.timing("training")
        self.recorder.timing(PROCESSOR, _processor() - self._used)
        self.recorder.end()
