"""Changes of version across which streams are measured to change, or to stay."""

from __future__ import annotations

from itertools import pairwise

from freezer.frameworks.atlas.table import changed_streams, packages, sheet

Step = tuple[str, str, str]
"""Package, version before, version after."""


def changing() -> list[Step]:
    """Return steps across a change, of as many libraries as there are."""
    found = [_steps(name)[0] for name in packages()]
    return _in_turns(found)


def staying() -> list[Step]:
    """Return steps across which every stream of a package is known and none changes."""
    found = [_steps(name)[1] for name in packages()]
    return _in_turns(found)


def _in_turns(found: list[list[Step]]) -> list[Step]:
    longest = max(map(len, found))
    return [steps[turn] for turn in range(longest) for steps in found if turn < len(steps)]


def _steps(name: str) -> tuple[list[Step], list[Step]]:
    known = sheet(name)
    assert known is not None
    changed = dict.fromkeys(
        (name, old, new) for stream in known.streams for old, new in stream.changes()
    )
    versions = sorted(
        {one.version for stream in known.streams for one in stream.releases},
        key=lambda version: tuple(int(part) for part in version.split(".") if part.isdecimal()),
    )
    same = [
        (name, old, new)
        for old, new in pairwise(versions)
        if not changed_streams(name, old, new)
        and all(stream.bits(old) and stream.bits(new) for stream in known.streams)
    ]
    return list(changed), same
