"""A PostgreSQL server of a test's own, from the host's packages: started, restarted and stopped."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.support.ports import free_port

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
"""Debian keeps each major version in a folder of its own, outside of PATH."""


class Postgres:
    """One server on the loopback interface."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is one that any user may reach: pytest closes its own to others.

        A cluster that is there already, stopped, is used again.
        """
        self.folder = folder / "cluster"
        self.log = folder / "log"
        self.port = free_port()
        folder.chmod(0o755)  # its user enters it
        if self.folder.exists():
            return
        self.folder.mkdir()
        self.log.touch()
        if os.getuid() == 0:  # it refuses to run as root
            for path in (self.folder, self.log):
                shutil.chown(path, "postgres", "postgres")
        self._run("initdb", "-D", str(self.folder), "-U", "me", "-A", "trust", "--no-sync")

    @property
    def url(self) -> str:
        return f"postgresql://me@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """The server's first process, from which all others come."""
        return int((self.folder / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        self._run(
            "pg_ctl", "-D", str(self.folder), "-l", str(self.log), "-o", options, "-w", "start"
        )

    def query(self, text: str) -> None:
        """Run one statement."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(text)  # type: ignore[arg-type]

    def has(self, database: str) -> bool:
        """Return whether a database of that name is there."""
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            asked = "SELECT count(*) FROM pg_database WHERE datname = %s"
            return connection.execute(asked, (database,)).fetchone() == (1,)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: at once, so that it recovers at the next start, or ``fast``, in good order."""
        self._run("pg_ctl", "-D", str(self.folder), "-m", mode, "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(BINARIES[-1] / program), *arguments]
        user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
