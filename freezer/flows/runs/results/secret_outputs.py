"""Outputs that contain a secret of the run's command: recorded by name, and never exported.

Which secrets a run got is known only while it runs: no later command could find them.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from freezer.fetch.http.secret_words import SHORTEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from freezer.model.events import Reporter
    from freezer.model.record.run import Output, Run

FIELD: Final = "outputs.with-secrets"
"""A JSON list of paths."""
_MOST: Final = 1000
"""Paths that are recorded."""
_AND_MORE: Final = "..."
"""The last element where there are more: then no output counts as free of secrets."""
_BLOCK: Final = 1 << 20


def with_secret_outputs(run: Run, folder: Path, secrets: Sequence[str], report: Reporter) -> Run:
    """Return a run with the names of its outputs that contain one of some secrets."""
    wanted = [one.encode("utf-8", "surrogateescape") for one in secrets if len(one) >= SHORTEST]
    if not wanted:
        return run
    found = [one.path for one in run.outputs if _contains(folder / one.path, wanted)]
    if not found:
        return run
    report.warn(
        f"{len(found)} outputs contain a secret of the command, and are not exported: "
        f"{', '.join(ascii(path)[1:-1] for path in found[:5])}"
    )
    listed = found[:_MOST] + [_AND_MORE] * (len(found) > _MOST)
    return run.with_fields({FIELD: json.dumps(listed)})


def exportable(run: Run) -> tuple[Output, ...]:
    """Return the outputs of a run that may be copied into an export."""
    value = run.fields.get(FIELD)
    if value is None:
        return run.outputs
    with suppress(ValueError, TypeError):
        hidden = set(json.loads(str(value)))
        if _AND_MORE not in hidden:
            return tuple(one for one in run.outputs if one.path not in hidden)
    return ()


def _contains(path: Path, wanted: Sequence[bytes]) -> bool:
    """Return whether a file contains any of some texts; true for one that cannot be read."""
    overlap = max(map(len, wanted)) - 1
    before = b""
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                data = before + block
                if any(one in data for one in wanted):
                    return True
                before = data[-overlap:] if overlap else b""
    except OSError:
        return True
    return False
