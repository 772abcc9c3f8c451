"""What changed between two states of a data set: added, removed, changed, moved. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.data.entry import Member


@dataclass(frozen=True)
class DataDiff:
    """The difference of two lists of members, each sorted by path."""

    added: tuple[Member, ...]
    removed: tuple[Member, ...]
    changed: tuple[tuple[Member, Member], ...]
    """The old and the new state of a path."""
    moved: tuple[tuple[Member, Member], ...]
    """The same bytes under another path; empty files are not paired, as they are all alike."""
    same: int
    """Members that are in both, unchanged."""

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed or self.moved)


def data_diff(old: Sequence[Member], new: Sequence[Member]) -> DataDiff:
    """Return what changed from one list of members to another."""
    before = {member.path: member for member in old}
    after = {member.path: member for member in new}
    both = before.keys() & after.keys()
    changed = [(before[path], after[path]) for path in both if before[path] != after[path]]
    gone = [before[path] for path in before.keys() - both]
    come = [after[path] for path in after.keys() - both]
    moved = _moved(gone, come)
    left, right = {one.path for one, _ in moved}, {one.path for _, one in moved}
    return DataDiff(
        added=tuple(sorted(one for one in come if one.path not in right)),
        removed=tuple(sorted(one for one in gone if one.path not in left)),
        changed=tuple(sorted(changed)),
        moved=tuple(sorted(moved)),
        same=len(both) - len(changed),
    )


def _moved(gone: Sequence[Member], come: Sequence[Member]) -> list[tuple[Member, Member]]:
    """Pair removed with added members by content; files that kept their name come first."""
    waiting: dict[tuple[str, int, str], list[Member]] = defaultdict(list)
    for member in sorted(come, reverse=True):
        if member.kind == "f" and member.size:
            waiting[_content(member)].append(member)
    pairs = []
    for member in sorted(gone):
        candidates = waiting.get(_content(member))
        if candidates:
            name = member.path.rpartition("/")[2]
            alike = [one for one in candidates if one.path.rpartition("/")[2] == name]
            chosen = alike[-1] if alike else candidates[-1]
            candidates.remove(chosen)
            pairs.append((member, chosen))
    return pairs


def _content(member: Member) -> tuple[str, int, str]:
    return member.kind, member.size, member.sha256
