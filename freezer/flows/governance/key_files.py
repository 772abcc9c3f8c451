"""Files of keys, passwords and signed statements: read within bounds, written as a whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from freezer.errors import HostError, SpecError, Where
from freezer.fetch.store.atomic import disk_errors, write_atomically
from freezer.governance.attest.keys import PASSWORD, private_key, public_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from freezer.governance.attest.keys import PublicKey, Signer

_LARGEST_KEY: Final = 1 << 20
_LARGEST_PASSWORD: Final = 4096


def _nobody() -> bytes | None:
    return None


@dataclass(frozen=True)
class Password:
    """Where the password of a private key is: never on the command line, which others can see."""

    file: Path | None = None
    """Its first line is the password."""
    ask: Callable[[], bytes | None] = _nobody
    """Asks the user; called only for an encrypted key whose password is nowhere else."""

    def given(self) -> bytes | None:
        """Return the password from the file or ``FREEZER_KEY_PASSWORD``. Raises ``HostError``."""
        if self.file is None:
            return os.environ.get(PASSWORD, "").encode() or None
        password = read_bounded(self.file, _LARGEST_PASSWORD).partition(b"\n")[0].rstrip(b"\r")
        if not password:
            raise SpecError(
                "this file has no password", where=Where(str(self.file)),
                found="an empty first line",
            )  # fmt: skip
        return password


def read_signer(path: Path, password: Password) -> Signer:
    """Return the private key in a file. Raises ``SpecError`` and ``HostError``."""
    data = read_bounded(path, _LARGEST_KEY)
    return private_key(data, str(path), password.given(), password.ask)


def read_keys(paths: Sequence[Path]) -> list[PublicKey]:
    """Return public keys and certificates. Raises ``SpecError`` and ``HostError``."""
    return [public_key(read_bounded(path, _LARGEST_KEY), str(path)) for path in paths]


def write_file(path: Path, data: bytes) -> None:
    """Write a file, and its folder where that is missing. Raises ``HostError``."""
    with disk_errors(path.parent):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, data)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            place = os.fsdecode(error.filename2 or error.filename or path)
            raise HostError(
                "the file cannot be written there", where=Where(str(path)),
                found=f"{place}: {error.strerror}",
            ) from None  # fmt: skip


def read_bounded(path: Path, largest: int) -> bytes:
    """Return the bytes of a file. Raises ``HostError`` for one that is too large or unreadable."""
    try:
        with path.open("rb") as stream:
            data = stream.read(largest + 1)
    except OSError as error:
        raise HostError(
            "this file cannot be read", where=Where(str(path)), found=error.strerror
        ) from None
    if len(data) > largest:
        raise HostError(
            "this file is too large", where=Where(str(path)), expected=f"at most {largest} bytes"
        )
    return data
