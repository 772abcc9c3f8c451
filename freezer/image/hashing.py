"""Reading a file of a package once: hashed on the way, and at its end compared with a promise."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class HashingReader:
    """Hashes what is read through it; to read to the end is to have it checked."""

    def __init__(
        self,
        stream: IO[bytes],
        *,
        algorithm: str = "sha256",
        check: Callable[[bytes], None] | None = None,
    ) -> None:
        """``check`` gets the digest by ``algorithm`` when the end is read, and may raise."""
        self._stream = stream
        self._hasher = hashlib.sha256()
        self._promised = self._hasher if algorithm == "sha256" else hashlib.new(algorithm)
        self._check = check

    def __enter__(self) -> HashingReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes; all that are left when it is negative."""
        data = self._stream.read(size)
        self._hasher.update(data)
        if self._promised is not self._hasher:
            self._promised.update(data)
        if self._check is not None and (size < 0 or (size > 0 and not data)):
            self._check(self._promised.digest())
        return data

    def hexdigest(self) -> str:
        """Return the SHA-256 of what was read."""
        return self._hasher.hexdigest()
