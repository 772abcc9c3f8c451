"""Write docs/reference/api from the docstrings of the public Python API: ``make docs``.

With ``--check`` nothing is written; exit 1 if a page is not up to date.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import freezer
from freezer import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "api"
PAGES = {
    "project": ("Open a project", ("open_project", "Project", "Event")),
    "lock": ("Lock", ("lock", "LockResult", "Package")),
    "build": ("Build", ("build", "BuildResult")),
    "check": ("Check", ("check", "CheckResult", "TrainingResult")),
    "update": ("Update", ("update", "UpdateResult", "Move", "Limit")),
    "rollback": ("Roll back", ("rollback", "RollbackResult")),
}
"""File name to title and public names, in the order of the index."""
HOMES = {name: page for page, (_, names) in PAGES.items() for name in names}
NOTICE = "<!-- Written by `make docs` from the docstrings; edit those. -->"
INDEX = """\
`import freezer` does the work of the commands from Python: the same results as values, the same
failures as exceptions, nothing printed. Names are loaded on first use, so the import takes about
2 ms; all are typed.

```python
import freezer

with freezer.open_project() as project:
    locked = freezer.lock(project)
    built = freezer.build(project)
    checked = freezer.check(project)
    print(locked.lock_id, built.image, checked.verdict)
```

| page | names |
| --- | --- |
{rows}

The examples on the other pages go on from `project = freezer.open_project()`. Every result has
`environment`, `lock_id` and `to_json()`, which returns the document that the command prints with
`--json`. Negative verdicts are results; what stops the work is raised.

## What is public

The names on these pages, their documented arguments and attributes, and `freezer.errors`. An
incompatible change to them is announced in the changelog and raises the minor version until 1.0,
the major version after it. Everything else below `freezer` is internal, whatever its name, and may
change in any release.
"""


def main() -> int:
    """Write the pages, or compare them with what is there."""
    stale = []
    for name, text in pages().items():
        path = FOLDER / f"{name}.md"
        if not path.is_file() or path.read_text() != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
    if stale and "--check" in sys.argv:
        print(f"not up to date: {', '.join(stale)}; run `make docs`", file=sys.stderr)
        return 1
    return 0


def pages() -> dict[str, str]:
    """Return the text of every page by its name."""
    rows = [
        f"| [{title}]({page}.md) | {', '.join(f'`{name}`' for name in names)} |"
        for page, (title, names) in PAGES.items()
    ]
    rows.append("| [Errors](errors.md) | `FreezerError`, `errors` |")
    found = {"README": _page("The Python API", [INDEX.format(rows="\n".join(rows))])}
    for page, (title, names) in PAGES.items():
        found[page] = _page(title, [_entry(name, page) for name in names])
    found["errors"] = _page("Errors", [_errors()])
    return found


def _page(title: str, parts: list[str]) -> str:
    return "\n\n".join([f"# {title}\n\n{NOTICE}", *(part.strip() for part in parts)]) + "\n"


def _entry(name: str, page: str) -> str:
    thing = getattr(freezer, name)
    if dataclasses.is_dataclass(thing):
        head, rest = f"## `{name}`", [_prose(thing, page), *_fields(thing, page)]
    elif inspect.isclass(thing):
        head, rest = f"## `{name}`", [_prose(thing, page)]
    else:
        head, rest = f"## `{name}`", [_signature(name, thing), _prose(thing, page)]
    methods = [_method(key, value, page) for key, value in _members(thing)]
    return "\n\n".join([head, *rest, *methods])


def _signature(name: str, function: Any) -> str:
    """Return a function's signature as code, one parameter a line."""
    lines, starred = [], False
    for one in inspect.signature(function).parameters.values():
        if one.kind is one.KEYWORD_ONLY and not starred:
            lines.append("    *,")
            starred = True
        default = "" if one.default is one.empty else f" = {one.default!r}"
        lines.append(f"    {one.name}: {one.annotation}{default},")
    returns = inspect.signature(function).return_annotation
    return "\n".join(["```text", f"freezer.{name}(", *lines, f") -> {returns}", "```"])


def _members(thing: Any) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties of a class, those of its bases included."""
    if not inspect.isclass(thing):
        return
    for kind in reversed(thing.__mro__):
        for key, value in vars(kind).items():
            listed = inspect.isfunction(value) or isinstance(value, property)
            if not key.startswith("_") and listed:
                yield key, value


def _method(name: str, value: Any, page: str) -> str:
    if isinstance(value, property):
        returns = str(value.fget.__annotations__["return"])
        return f"### `.{name}: {returns}`\n\n{_prose(value, page)}"
    arguments = ", ".join(list(inspect.signature(value).parameters)[1:])
    return f"### `.{name}({arguments})`\n\n{_prose(value, page)}"


def _fields(thing: Any, page: str) -> Iterator[str]:
    """Yield a table of a dataclass's fields, with the docstrings that follow them."""
    rows = []
    for kind in reversed(thing.__mro__):
        if not dataclasses.is_dataclass(kind):
            continue
        (body,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        statements: list[Any] = [*vars(body)["body"], None]
        for here, following in pairwise(statements):
            if isinstance(here, ast.AnnAssign) and not ast.unparse(here.target).startswith("_"):
                annotation = ast.unparse(here.annotation).replace("'", '"')
                rows.append((ast.unparse(here.target), annotation, _docstring(following)))
    lines = [
        f"| `{name}` | `{_cell(kind)}` | {_cell(_linked(text, page))} |"
        for name, kind, text in rows
    ]
    yield "\n".join(["| attribute | type | |", "| --- | --- | --- |", *lines])


def _docstring(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split())
    return ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _prose(thing: Any, page: str) -> str:
    text = inspect.cleandoc(thing.__doc__ or "")
    parts = re.split(r"(```.*?```)", text, flags=re.DOTALL)
    return "".join(part if part.startswith("```") else _linked(part, page) for part in parts)


def _linked(text: str, page: str) -> str:
    """Return docstring markup as Markdown: double backticks are code, single ones are names."""

    def code(match: re.Match[str]) -> str:
        if match[1]:
            return f"`{match[1]}`"
        home = HOMES.get(match[2])
        if home is None or home == page:
            return f"`{match[2]}`"
        return f"[`{match[2]}`]({home}.md)"

    return re.sub(r"``(.+?)``|`(.+?)`", code, text, flags=re.DOTALL)


def _errors() -> str:
    kinds = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.FreezerError)
    ]
    rows = [
        f"| `{kind.__name__}` | `{kind.__base__.__name__}` | `{kind.code}` | {kind.exit_code} | "
        f"{_linked(' '.join(inspect.cleandoc(kind.__doc__ or '').split()), 'errors')} |"
        for kind in kinds
    ]
    table = ["| class | base | `code` | exit code | |", "| --- | --- | --- | --- | --- |", *rows]
    return "\n".join([ERRORS, "", *table])


ERRORS = """\
Everything that a user or their environment can cause is a `freezer.FreezerError`, and all classes
are in `freezer.errors`. `str(error)` is what the command prints; `error.to_json()` is what it
prints with `--json`; the parts are `what`, `where` (`file`, `line`, `key`), `found`, `expected`,
`hint` and `details`. Branch on the class or on `code`, never on the text. Any other exception is a
bug, except `ValueError` and `TypeError` for arguments that contradict each other.

```python
import freezer

try:
    with freezer.open_project() as project:
        freezer.lock(project, "no-such-environment")
except freezer.FreezerError as error:
    print(error.code, error.where, error.hint)
```"""


if __name__ == "__main__":
    sys.exit(main())
