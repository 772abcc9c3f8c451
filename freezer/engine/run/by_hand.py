"""A container at the caller's terminal: keys go in, output comes out, until its command ends."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import termios
import tty
from typing import TYPE_CHECKING, Any

import docker.errors

from freezer.engine import wire
from freezer.engine.run.run import ended, in_container
from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.engine.interface import RunOptions
    from freezer.engine.link import Link

PORT_TAKEN = ("port is already allocated", "address already in use")
"""Error texts of engines for a port that another container or process uses."""
_BLOCK = 1 << 16


def by_hand(link: Link, image: str, command: Sequence[str], options: RunOptions) -> int:
    """Return how the command ended; see ``Engine.run_by_hand``."""
    with (
        in_container(link, image, command, options) as container,
        link.doing("running a container"),
        contextlib.closing(wire.Terminal(link.api, container, tty=options.tty)) as terminal,
    ):
        try:
            link.api.start(container)
        except docker.errors.APIError as error:
            reason = error.explanation or str(error)
            if any(words in reason for words in PORT_TAKEN) and options.ports:
                raise _port_taken(options.ports, reason) from error
            raise link.refused("starting a container", reason) from error
        with _raw(options), _resized(link, container, options):
            _exchange(terminal)
        return ended(link, container)[0]


def _port_taken(ports: Sequence[int], reason: str) -> EngineError:
    return EngineError(
        f"port {', '.join(map(str, ports))} of 127.0.0.1 is in use on the engine's host",
        found=reason.strip().rpartition(": ")[2],
        hint="give another one with --port, to the server in the container too; "
        "`docker ps` lists the ports of containers",
    )


@contextlib.contextmanager
def _raw(options: RunOptions) -> Iterator[None]:
    """Hand every key to the container, Ctrl-C too; the terminal is as before afterwards."""
    if not options.tty:
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _resized(link: Link, container: str, options: RunOptions) -> Iterator[None]:
    """Tell the container the size of the terminal, now and whenever it changes."""
    if not options.tty:
        yield
        return

    def resize(*_: object) -> None:
        size = shutil.get_terminal_size()
        with contextlib.suppress(docker.errors.APIError, OSError):  # it has just ended
            link.api.resize(container, height=size.lines, width=size.columns)

    before = signal.signal(signal.SIGWINCH, resize)
    try:
        resize()
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _exchange(terminal: wire.Terminal) -> None:
    """Pass on what comes from either side, until the container's side ends."""
    stdin: Any = _descriptor(sys.stdin)
    targets = {wire.STDOUT: _descriptor(sys.stdout), wire.STDERR: _descriptor(sys.stderr)}
    while True:
        wanted = [terminal] if stdin is None else [terminal, stdin]
        ready = [terminal] if terminal.pending() else select.select(wanted, [], [])[0]
        if stdin in ready and stdin is not None:
            data = os.read(stdin, _BLOCK)
            if data:
                terminal.send(data)
            else:
                terminal.end_input()
                stdin = None
        if terminal in ready:
            parts = terminal.receive()
            if parts is None:
                return
            for stream, data in parts:
                _write(targets.get(stream), data)


def _write(target: int | None, data: bytes) -> None:
    with contextlib.suppress(OSError):  # nobody reads it any more
        while data and target is not None:
            data = data[os.write(target, data) :]


def _descriptor(stream: Any) -> int | None:
    try:
        return int(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return None
