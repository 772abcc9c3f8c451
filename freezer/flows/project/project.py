"""The context of every flow, opened once a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.fetch.config import Config, load_config
from freezer.fetch.store.store import Store
from freezer.model.events import Reporter, SilentReporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freezer.engine.interface import Engine


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

    @classmethod
    def open(
        cls, root: Path, engine: Callable[[], Engine], report: Reporter | None = None
    ) -> Project:
        """Return the project in a folder. Raises ``ConfigError`` and ``HostError``."""
        return cls(
            root=root,
            config=load_config(root),
            store=Store.open(),
            engine=engine,
            report=report or SilentReporter(),
        )
