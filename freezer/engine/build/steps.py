"""Events of a build by any builder: steps, output, a failure, the image."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freezer.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freezer.model.events import Reporter, Task

KEPT = 40
"""Lines of a step's output in an error."""

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Step:
    """A step started, or was found in the cache."""

    key: str
    title: str


@dataclass(frozen=True)
class Output:
    """Output of a step; not necessarily whole lines."""

    key: str
    text: str


@dataclass(frozen=True)
class Failure:
    """The build failed, in step ``key`` if set."""

    message: str
    key: str | None = None


@dataclass(frozen=True)
class Built:
    """The build finished."""

    image_id: str


Event = Step | Output | Failure | Built


@dataclass
class Log:
    """Collects the events of one build: passes them on, and keeps the lines for an error."""

    report: Reporter
    task: Task
    titles: dict[str, str] = field(default_factory=dict)
    lines: dict[str, deque[str]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=KEPT))
    )
    partial: dict[str, str] = field(default_factory=dict)

    def follow(self, events: Iterable[Event]) -> str:
        """Return the final image ID. Raises ``BuildError``."""
        image_id, message, key = None, "", None
        for event in events:  # read to the end even after a failure, to free the connection
            match event:
                case Step():
                    self._step(event)
                case Output():
                    self._output(event)
                case Failure():
                    key = event.key or key
                    message = event.message or message
                case Built():
                    image_id = event.image_id
        if message or image_id is None:
            raise self._error(message or "the builder ended without an image", key)
        return image_id

    def _step(self, event: Step) -> None:
        if event.key in self.titles:
            return  # BuildKit reports a step several times
        self.titles[event.key] = event.title
        self.task.advance()
        self.task.describe(event.title)
        self.report.debug(event.title)

    def _output(self, event: Output) -> None:
        *complete, rest = (self.partial.get(event.key, "") + event.text).split("\n")
        self.partial[event.key] = rest
        for line in map(clean, complete):
            if line:
                self.lines[event.key].append(line)
                self.report.debug(line)

    def _error(self, message: str, key: str | None) -> BuildError:
        title = self.titles.get(key or "")
        if key is None or title is None:
            return BuildError(
                "the build failed", found=clean(message), hint="fix the Dockerfile or its context"
            )
        tail = clean(self.partial.get(key, ""))
        return BuildError(
            f"a build step failed: {title}",
            found=clean(message),
            details=[*self.lines[key], *([tail] if tail else [])],
            hint="the lines above are the end of the step's output; `--verbose` shows all of it",
        )


def clean(line: str) -> str:
    """Return a line as displayed by a terminal: the last rewrite, without control codes."""
    return _CONTROL.sub("", line.rstrip().rsplit("\r", 1)[-1]).rstrip()
