"""The output of a container in one file: frames of stream, time and bytes, appended as they come.

A frame is a header (stream 1 or 2 as one byte; microseconds since 1970 as eight; the length as
four, all big-endian) and the bytes. A frame that a kill cut short is the last one, and is not read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import threading
import time
from typing import Dict, List, Sequence

HEADER = struct.Struct(">BQI")
LONGEST = 1 << 16
"""Bytes of one frame."""
_LONGEST_LINE = 1 << 20
"""Bytes of a line that is held back because it may hold a secret."""


class Capture:
    """Writes frames, from several threads."""

    def __init__(self, path: str, secrets: Sequence[str] = ()) -> None:
        """``secrets`` are replaced by ``***`` wherever they are printed."""
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        # By lines, in which output is looked at; the longest first, as it may hold another one.
        lines = {line for one in secrets for line in one.encode().split(b"\n") if len(line) >= 4}
        self._secrets: List[bytes] = sorted(lines, key=lambda line: (-len(line), line))
        self._held: Dict[int, bytes] = {}
        self._lock = threading.Lock()
        self._digest = hashlib.sha256()
        self.size = 0
        self.lost = 0
        """Bytes of output for which the disk had no room."""

    def add(self, stream: int, data: bytes) -> None:
        """Append what the container wrote."""
        with self._lock:
            if self._secrets:
                data = self._whole_lines(stream, data)
            for start in range(0, len(data), LONGEST):
                self._write(stream, data[start : start + LONGEST])

    def close(self) -> None:
        """Append unterminated lines that were held back, and close the file."""
        with self._lock:
            for stream, held in self._held.items():
                if held:
                    self._write(stream, self.without_secrets(held))
            self._held.clear()
            os.close(self._handle)

    def document(self) -> Dict[str, object]:
        """Return what the result file says of the captured output."""
        return {"bytes": self.size, "sha256": self._digest.hexdigest(), "lost": self.lost}

    def _whole_lines(self, stream: int, data: bytes) -> bytes:
        lines, mark, rest = (self._held.get(stream, b"") + data).rpartition(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, mark, rest = lines + mark + rest, b"", b""
        self._held[stream] = rest
        return self.without_secrets(lines + mark)

    def without_secrets(self, data: bytes) -> bytes:
        """Return bytes with ``***`` in place of each secret."""
        for secret in self._secrets:
            data = data.replace(secret, b"***")
        return data

    def _write(self, stream: int, data: bytes) -> None:
        frame = HEADER.pack(stream, time.time_ns() // 1000, len(data)) + data
        try:
            left = frame
            while left:
                left = left[os.write(self._handle, left) :]
        except OSError:  # a full disk: the training goes on
            self.lost += len(data)
            self._cut()
            return
        self.size += len(frame)
        self._digest.update(frame)

    def _cut(self) -> None:
        """Remove a frame that was written in part: it would spoil the following ones."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._handle, self.size)
            os.lseek(self._handle, self.size, os.SEEK_SET)
