"""The commands by name, each loaded and set up only when it is used.

typer sets up every command at each start, which takes longer than many a command itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperArgument, TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS: Final = {
    "init": "setup",
    "lock": "lock",
    "update": "lock",
    "export": "lock",
    "fetch": "image",
    "build": "image",
    "check": "check",
    "run": "image",
    "shell": "image",
    "audit": "check",
    "atlas": "check",
    "diff": "history",
    "log": "history",
    "why": "lock",
    "rollback": "history",
    "bisect": "history",
    "bundle": "image",
    "image": "image",
    "images": "image",
    "inventory": "image",
    "sbom": "governance",
    "sign": "governance",
    "verify": "governance",
    "evidence": "governance",
    "retro": "governance",
    "push": "registry",
    "pull": "registry",
    "doctor": "setup",
    "schema": "setup",
}
"""Commands in the order of the help; each is the function of that name in
``freezer.cli.FOLDER.NAME``."""
GROUPS: Final = {
    "ci": (
        "Workflows for GitHub and GitLab, and their comment on a pull request.",
        ("github", "gitlab", "comment"),
    ),
    "data": (
        "Data sets by content: their digests, and which files changed since when.",
        ("status", "diff", "record", "verify", "export"),
    ),
    "archive": (
        "Environments kept for years, with every file: create, list, verify, restore, prune.",
        ("create", "list", "verify", "restore", "prune"),
    ),
    "hook": (
        "Checks before a commit: install, show, run.",
        ("install", "show", "run"),
    ),
    "fleet": (
        "Checks of whole clusters: list, status, report, resume, cancel.",
        ("list", "status", "report", "resume", "cancel"),
    ),
    "policy": (
        "What the project allows: the rules of policy.yaml, and what breaks them.",
        ("check",),
    ),
    "runs": (
        "Runs of your own trainings: list, filter, show, compare, export.",
        (
            "list",
            "query",
            "show",
            "logs",
            "stop",
            "collect",
            "diff",
            "summary",
            "page",
            "reproduce",
            "verify",
            "fields",
            "tag",
            "note",
            "export",
            "import",
        ),
    ),
}
"""Groups of commands: a line of help, and the functions in ``freezer.cli.GROUP.NAME``."""
_APART: Final = {("runs", "collect"): "runs.cluster"}
"""Commands of a group that are in another folder."""


class Command(TyperCommand):
    """A command whose help leaves out ``<bool>`` after flags and ``<str>`` after arguments."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters."""
        return _prepared(super().get_params(ctx))


def _prepared(params: list[Any]) -> list[Any]:
    for param in params:
        found = getattr(param, "get_runtime_param", None)  # of typer 0.29 and later
        if found and not isinstance(found, partial):
            param.get_runtime_param = partial(_Plain, found)
        if getattr(param, "is_flag", False) or isinstance(param, TyperArgument):
            param.display_type_rich = _no_type  # what newer versions of typer print
    return params


def _no_type(ctx: Any) -> None:
    del ctx


class _Plain:
    """Takes values that need no conversion; typer would load pydantic for each of them."""

    def __init__(self, converter: Callable[[], Any]) -> None:
        self._converter = converter

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """Return a value as the command gets it; see ``typer._coercion.RuntimeParam``."""
        several = param.multiple or param.nargs == -1
        if value is None:
            return () if several else None
        kind, parser = param.type_descriptor.annotation, param.type_descriptor.parameter_info.parser
        if parser is None and kind is str and isinstance(value, str) and not several:
            return value
        if parser is None and kind == list[str] and _are_texts(value):
            return list(value)
        return self._converter().coerce(value, param=param, ctx=ctx)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)


class Commands(TyperGroup):
    """A group whose commands are set up one by one."""

    table: Mapping[str, str] = {**FOLDERS, **dict.fromkeys(GROUPS, "")}

    def __init__(self, *, table: Mapping[str, str] | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self._table = self.table if table is None else table
        self.commands = _Late(self._table)  # type: ignore[assignment]

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters."""
        return _prepared(super().get_params(ctx))

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands' names without loading one."""
        del ctx
        return list(self._table)


class _Late(Mapping[str, Any]):
    """Commands by name; the same one each time."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._table = table
        """The folder of each command; empty for a group."""
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            folder = self._table[name]
            self._known[name] = _command(folder, name) if folder else _group(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def _command(folder: str, name: str) -> Any:
    spelled = f"{name}_" if iskeyword(name) else name
    module = import_module(f"freezer.cli.{folder}.{spelled}")
    kind = getattr(module, "COMMAND_CLASS", Command)
    return get_command_from_info(
        CommandInfo(name=name, callback=getattr(module, spelled), cls=kind),
        pretty_exceptions_short=True,
        rich_markup_mode="rich",
    )


def _group(name: str) -> Commands:
    help_line, commands = GROUPS[name]
    return Commands(
        name=name,
        help=help_line,
        no_args_is_help=True,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        table={one: _APART.get((name, one), name) for one in commands},
    )
