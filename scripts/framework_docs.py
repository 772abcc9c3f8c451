"""Write docs/reference/frameworks.md from the descriptions of frameworks: ``make docs``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from freezer.frameworks import described, frameworks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freezer.frameworks.description import Framework

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "frameworks.md"
INTRODUCTION = """\
# Frameworks

<!-- Written by `make docs` from freezer/frameworks; edit the descriptions there. -->

What Freezer knows of each framework: its built-in training, the tolerances of that training, the
settings that it switches on, and what is documented not to be deterministic. To add one,
see [add a framework](../contributing/add-a-framework.md).
"""
MEASURED = """\
## Measured

What was measured of these and other libraries is in the [determinism
atlas](../explanation/determinism-atlas.md): `freeze atlas PACKAGE`.
"""


def page() -> str:
    """Return the page."""
    parts = [INTRODUCTION, *trainings(), "## Documented\n", *documented(), MEASURED]
    return "\n".join(parts)


def trainings() -> Iterator[str]:
    """Yield the table of built-in trainings."""
    yield "## Built-in trainings\n"
    yield table(
        ("training", "framework", "packages", "tolerance of losses", "of tensors", "switches"),
        (
            (
                f"`{name}`",
                item.title,
                code(item.packages),
                *tolerances(item),
                code(switch.name for switch in item.switches) or "none",
            )
            for name, item in frameworks().items()
        ),
    )
    yield "Where the tolerances come from:\n"
    for name, item in frameworks().items():
        if item.tolerance:
            yield f"- `{name}`: {item.tolerance.source}"
    yield ""


def tolerances(item: Framework) -> tuple[str, str]:
    """Return the relative errors of losses and of tensors that count as harmless."""
    found = item.tolerance
    return (f"{found.loss:.0e}", f"{found.tensor:.0e}") if found else ("none", "none")


def documented() -> Iterator[str]:
    """Yield the table of what maintainers document."""
    rows = (
        (item.title, row.says + (" (GPU)" if row.gpu else ""), row.mitigation, link(row.source))
        for item in described()
        for row in item.documented
    )
    yield table(("framework", "what is not deterministic", "mitigation", ""), rows)


def link(url: str) -> str:
    """Return a link to a source."""
    return f"[source]({url})"


def code(names: Iterable[str]) -> str:
    """Return names as code, with commas between."""
    return ", ".join(f"`{name}`" for name in names)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [tuple(head)]
    lines += [("---",) * len(lines[0]), *map(tuple, rows)]
    cells = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
    return "\n".join(f"| {line} |" for line in cells) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
