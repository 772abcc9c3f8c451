"""The context of every flow, opened once a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from freezer.fetch.config import Config, load_config
from freezer.fetch.store.store import Store
from freezer.model.events import Reporter, SilentReporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freezer.engine.interface import Engine
    from freezer.model.lock import Lock

    Gate = Callable[["Project", "Command", Lock, str], None]

Command = Literal["lock", "build", "rollback"]


@dataclass(frozen=True)
class Project:
    """The context of every flow: the project, its configuration, store, engine and reporter."""

    root: Path
    """The project's folder: it holds ``images/`` and ``lockfiles/``."""
    config: Config
    store: Store
    engine: Callable[[], Engine]
    """Connects on first use: many commands never need an engine."""
    report: Reporter
    gate: Gate | None = None
    """Called with a lock before it is written, built or gone back to; raises to refuse it."""

    def require_allowed(self, command: Command, lock: Lock, lock_id: str) -> None:
        """Ask whoever opened the project whether a lock may be used. Raises ``PolicyError``."""
        if self.gate is not None:
            self.gate(self, command, lock, lock_id)

    @classmethod
    def open(
        cls,
        root: Path,
        engine: Callable[[], Engine],
        report: Reporter | None = None,
        gate: Gate | None = None,
    ) -> Project:
        """Return the project in a folder. Raises ``ConfigError`` and ``HostError``."""
        return cls(
            root=root,
            config=load_config(root),
            store=Store.open(),
            engine=engine,
            report=report or SilentReporter(),
            gate=gate,
        )
