"""The commands by name, each loaded and set up only when it is asked for.

typer sets up every command at each start, which takes longer than many a command itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from typer.core import TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS: Final = {
    "init": "setup",
    "lock": "lock",
    "update": "lock",
    "fetch": "image",
    "build": "image",
    "check": "check",
    "audit": "check",
    "diff": "history",
    "log": "history",
    "why": "lock",
    "rollback": "history",
    "bisect": "history",
    "bundle": "image",
    "image": "image",
    "images": "image",
    "inventory": "image",
    "push": "registry",
    "pull": "registry",
    "doctor": "setup",
    "schema": "setup",
}
"""Commands in the order of the help; each is the function of that name in
``freezer.cli.FOLDER.NAME``."""


class Commands(TyperGroup):
    """A group whose commands are set up one by one."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = _Late()  # type: ignore[assignment]

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands' names without loading one."""
        del ctx
        return list(FOLDERS)


class _Late(Mapping[str, Any]):
    """Commands by name; the same one each time."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in FOLDERS:
            raise KeyError(name)
        if name not in self._known:
            callback = getattr(import_module(f"freezer.cli.{FOLDERS[name]}.{name}"), name)
            self._known[name] = get_command_from_info(
                CommandInfo(name=name, callback=callback),
                pretty_exceptions_short=True,
                rich_markup_mode="rich",
            )
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(FOLDERS)

    def __len__(self) -> int:
        return len(FOLDERS)
