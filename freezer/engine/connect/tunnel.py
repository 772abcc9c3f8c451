"""Engines of other hosts over ssh: the engine's socket, forwarded by the user's own ssh client."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from freezer.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESS: Final = re.compile(
    r"ssh://((?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*)"
    r"(:(?P<port>[0-9]{1,5}))?(?P<path>/[^\0:]*)?"
)
_SOCKET: Final = "/var/run/docker.sock"
_PATIENCE: Final = 30.0
"""Seconds for the connection."""


@contextmanager
def forwarded(address: str) -> Iterator[str]:
    """Yield the address of a local socket that is the engine's at ``ssh://[user@]host[:port]``.

    A path in the address is that of the socket there. The client asks for no password: keys and
    hosts are those of its configuration and agent. Other addresses are yielded as they are. Raises
    ``EngineError``.
    """
    if not address.startswith("ssh://"):
        yield address
        return
    folder = Path(tempfile.mkdtemp(prefix="freezer-ssh-"))  # a socket's path may have 107 bytes
    try:
        with _client(address, folder / "engine.sock") as local:
            yield f"unix://{local}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _client(address: str, local: Path) -> Iterator[Path]:
    with (local.parent / "errors").open("w+b") as errors:
        try:
            process = subprocess.Popen(
                _command(address, local),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        except OSError as error:
            raise _failed(address, error.strerror or "it cannot be started") from None
        try:
            _wait(process, local, address, local.parent / "errors")
            yield local
        finally:
            process.terminate()
            process.wait()


def _command(address: str, local: Path) -> list[str]:
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise EngineError(
            f"{address} cannot be used", expected="ssh://[user@]host[:port][/path/of/socket]"
        )
    path = found["path"] if found["path"] not in (None, "/") else _SOCKET
    return [
        "ssh", "-nNT", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes",
        "-o", f"ConnectTimeout={_PATIENCE:.0f}", "-o", "ControlPath=none",
        *(["-p", found["port"]] if found["port"] else []),
        *(["-l", found["user"]] if found["user"] else []),
        "-L", f"{local}:{path}", "--", found["host"],
    ]  # fmt: skip


def _wait(process: subprocess.Popen[bytes], local: Path, address: str, errors: Path) -> None:
    """Wait until the socket accepts connections."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as door:
            door.connect(str(local))
            return
        if process.poll() is not None:
            lines = errors.read_bytes()[-4000:].decode("utf-8", "replace").strip().splitlines()
            raise _failed(address, lines[-1] if lines else f"exit status {process.returncode}")
        time.sleep(0.05)
    raise _failed(address, "no connection")


def _failed(address: str, found: str) -> EngineError:
    return EngineError(
        f"ssh does not reach {address}",
        found=found,
        hint="`ssh HOST true` must work without a password: a key in the agent, a known host",
    )
