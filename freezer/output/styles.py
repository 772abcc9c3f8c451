"""Styles of the verdicts on a terminal."""

from __future__ import annotations

from typing import Final

from freezer.model.record.word import Word

STYLES: Final = {
    Word.IDENTICAL: "bold green",
    Word.EQUIVALENT: "bold yellow",
    Word.DRIFTED: "bold red",
    Word.FAILED: "bold red",
    Word.NOT_COMPARABLE: "bold yellow",
}
