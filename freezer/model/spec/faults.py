"""Faults of what the user wrote, collected so that all are reported at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from freezer.errors import SpecError, Where

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def joined(faults: Sequence[SpecError]) -> SpecError:
    """Return one error for all faults: a single one as it is, several as a list."""
    if len(faults) == 1:
        return faults[0]
    files = {fault.where.file if fault.where else None for fault in faults}
    file = files.pop() if len(files) == 1 else None
    return SpecError(
        f"{len(faults)} things in this file cannot be used"
        if file
        else f"{len(faults)} things cannot be used",
        where=Where(file) if file else None,
        details=["\n    ".join(str(fault).splitlines()) for fault in faults],
    )


class Faults:
    """Collects ``SpecError``s, each once, however often what holds it is read."""

    def __init__(self) -> None:
        self.found: list[SpecError] = []

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Note what the block raises; what is noted already counts once."""
        try:
            yield
        except SeveralFaultsError as error:
            for fault in error.faults:
                self.add(fault)
        except SpecError as error:
            self.add(error)

    def add(self, fault: SpecError) -> None:
        """Note a fault, unless it is noted already."""
        if str(fault) not in map(str, self.found):
            self.found.append(fault)

    def require_none(self) -> None:
        """Raise ``SpecError`` for all that was noted, if anything was."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            raise SeveralFaultsError(self.found)


class SeveralFaultsError(SpecError):
    """Several faults at once; ``faults`` are the single ones."""

    def __init__(self, faults: Sequence[SpecError]) -> None:
        whole = joined(faults)
        super().__init__(whole.what, where=whole.where, details=whole.details)
        self.faults = tuple(faults)
