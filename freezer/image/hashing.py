"""Reads a stream once: hashes it, and compares the digest at its end."""

from __future__ import annotations

import hashlib
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class HashingReader:
    """Hashes the bytes that are read through it; the check runs at the end."""

    def __init__(
        self,
        stream: IO[bytes],
        *,
        algorithm: str = "sha256",
        check: Callable[[bytes], None] | None = None,
    ) -> None:
        """``check`` receives the digest by ``algorithm`` at the end, and may raise."""
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
        """Return at most ``size`` bytes; all remaining ones when it is negative."""
        data = self._stream.read(size)
        self._hasher.update(data)
        if self._promised is not self._hasher:
            self._promised.update(data)
        if self._check is not None and (size < 0 or (size > 0 and not data)):
            self._check(self._promised.digest())
        return data

    def hexdigest(self) -> str:
        """Return the SHA-256 of the bytes read so far."""
        return self._hasher.hexdigest()
