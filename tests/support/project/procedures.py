"""The procedures of ``docs/governance``: what a reader writes into files, and types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "docs" / "governance"
PAGES = (
    "freezing", "seeding", "updating", "deviating", "rolling-back", "archiving", "auditing",
    "retiring",
)  # fmt: skip
ENV = "my-env"
_WITH_AN_ENGINE = ("seeding", "archiving")
_NEEDS_ONE = re.compile(r"freeze (build \S+ --verify|audit|archive) ?")
_BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A command, or a file with its content."""

    command: str = ""
    file: str = ""
    content: str = ""

    def named(self, name: str) -> Step:
        """Return the step for an environment of another name."""
        return Step(self.command.replace(ENV, name), self.file, self.content.replace(ENV, name))


def needs_engine(page: str, step: Step) -> bool:
    """Say whether a command needs a container engine, or what one made on the same page."""
    return page in _WITH_AN_ENGINE or bool(_NEEDS_ONE.match(step.command))


def steps(page: str) -> list[Step]:
    """Return what a page says to do, in order."""
    found = []
    for kind, text in _BLOCK.findall((FOLDER / f"{page}.md").read_text()):
        if kind == "yaml":
            first, rest = text.split("\n", 1)
            assert first.startswith("# "), f"{page}: a block of YAML begins with its file's name"
            found.append(Step(file=first[2:], content=rest))
            continue
        for line in text.splitlines():
            assert line.startswith("$ "), f"{page}: {line!r} is no command"
            found.append(Step(command=line[2:]))
    return found
