"""Output files whose names hold an identifier or a clock: paired between runs by what stays."""

from __future__ import annotations

import re
from typing import Final

_EVENTS: Final = re.compile(r"(events\.out\.tfevents)\.[^/]*$")
"""TensorBoard: seconds since 1970, host, process, number."""
_IDENTIFIER: Final = re.compile(
    r"(?<![0-9a-f])([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-f])"
)
"""A UUID, as PyArrow, pandas and Spark put it into the names of a partitioned data set's files."""
_TABLES: Final = (".parquet", ".feather", ".arrow", ".csv", ".orc")


def stable_path(path: str) -> str:
    """Return a path with ``*`` for what differs between equal runs; mostly the path itself."""
    folder, slash, name = path.rpartition("/")
    if name.endswith(_TABLES):
        name = _IDENTIFIER.sub("*", name)
    return folder + slash + _EVENTS.sub(r"\1.*", name)
