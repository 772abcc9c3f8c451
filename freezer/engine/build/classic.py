"""The classic builder's messages, lines of text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from freezer.engine.build.steps import Built, Event, Failure, Output, Step
from freezer.engine.responses import text as text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_STEP = re.compile(r"^(?:STEP|Step) (\d+)/\d+ ?: (.*)", re.DOTALL)
_CHATTER = re.compile(r"^ ---> |^Removing intermediate container ")
_DONE = re.compile(r"^Successfully built ([0-9a-f]{12,64})")


def events(messages: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    """Parse the messages of ``POST /build`` of Docker and podman."""
    key = ""
    for message in messages:
        text = str(message.get("stream") or "")
        if "error" in message:
            yield Failure(str(message["error"]), key or None)
        elif isinstance(message.get("aux"), dict) and "ID" in message["aux"]:
            yield Built(text_of(message["aux"]["ID"]))
        elif step := _STEP.match(text):
            key = step[1]
            yield Step(key, step[2].strip())
        elif done := _DONE.match(text):
            yield Built(done[1])
        elif text and not _CHATTER.match(text):
            yield Output(key, text)
