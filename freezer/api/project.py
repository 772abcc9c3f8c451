"""A project opened for the Python API."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.api.events import Listener
from freezer.errors import HostError, Where
from freezer.flows.governance.gate import policy_gate
from freezer.flows.project.environment import LOCKS, environment_names
from freezer.flows.project.find import find_project
from freezer.flows.project.project import Project as Opened
from freezer.flows.runs.folders import journals_in
from freezer.ledger.left import any_left
from freezer.model.events import SilentReporter
from freezer.model.lockfile import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from freezer.api.events import Event
    from freezer.engine.interface import Engine
    from freezer.model.events import Reporter


def open_project(
    folder: str | Path | None = None,
    *,
    engine: str | None = None,
    report: Callable[[Event], object] | None = None,
) -> Project:
    """Open the project in a folder.

    ``folder`` is the folder that holds ``freeze.yaml`` or ``images/``; without one the project is
    looked for from the current folder upwards, as ``freeze`` does. ``engine`` is the address of a
    container engine, such as ``unix:///run/podman/podman.sock``; by default the one that
    ``DOCKER_HOST``, the current Docker context or the usual sockets lead to. It is connected on
    first use: locking packages from an index may need none. ``report`` receives each `Event`; by
    default nothing is reported.

    Raises ``HostError`` if there is no such folder or the store cannot be written to, and
    ``ConfigError`` if a configuration file is invalid.

    ```python
    import freezer

    with freezer.open_project(report=lambda event: print(event.kind, event.text)) as project:
        print(project.folder, project.environments)
    ```
    """
    if folder is None:
        return Project(find_project(Path.cwd()), engine, report)
    path = Path(folder).absolute()
    if not path.is_dir():
        raise HostError("there is no such folder", where=Where(str(path)))
    return Project(path, engine, report)


class Project:
    """A project: a folder with ``freeze.yaml`` files and their locks, an engine, and a listener.

    Made by `open_project`. A context manager; leaving it, or `close`, closes the connection to the
    engine. One project may be used from several threads.
    """

    def __init__(
        self, folder: Path, engine: str | None, report: Callable[[Event], object] | None
    ) -> None:
        self._engine_address = engine
        self._connected: Engine | None = None
        self._guard = threading.Lock()
        listener: Reporter = Listener(report) if report is not None else SilentReporter()
        self._opened = Opened.open(folder, self._engine, listener, policy_gate)

    @property
    def folder(self) -> Path:
        """The project's folder, as an absolute path."""
        return self._opened.root

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of the environments, sorted: of those with a spec, and of those with a lock.

        Raises ``SpecError`` if the folder's own ``freeze.yaml`` cannot be read.
        """
        found = set(environment_names(self.folder))
        found |= {path.parent.name for path in self.folder.glob(f"{LOCKS}/*/{LOCK_FILE}")}
        return tuple(sorted(found))

    def close(self) -> None:
        """Close the connection to the engine, if one was opened."""
        with self._guard:
            connected, self._connected = self._connected, None
        if connected is not None:
            connected.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<freezer.Project {str(self.folder)!r}>"

    def _engine(self) -> Engine:
        with self._guard:
            if self._connected is not None:
                return self._connected
            from freezer.engine.connect.connect import connect

            connected = self._connected = connect(self._engine_address)
        if any_left(journals_in(self.folder)):  # by a `freeze run` that was killed
            from freezer.flows.runs.ledger import settle_killed

            settle_killed(self._opened)
        return connected


def opened(project: Project) -> Opened:
    """Return what flows work with."""
    return project._opened  # noqa: SLF001 - of this module's own class
