"""A Slurm cluster of four nodes on this machine, from Debian's packages: started, broken, stopped.

No systemd and no cgroups: ``munged``, ``mariadbd``, ``slurmdbd``, ``slurmctld`` and one
``slurmd -N`` for each node, all with their state below one temporary folder.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PROGRAMS = ("munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sbatch")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MISSING = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
NODES = ("n1", "n2", "n3", "n4")
WITH_GPUS = "n4"
PATIENCE = 60.0

SLURM = """
ClusterName=freezer
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
TaskProlog={prolog}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdParameters=config_overrides
SlurmdTimeout=5
MessageTimeout=5
TCPTimeout=1
MinJobAge={job_age}
KillWait=2
InactiveLimit=0
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePass={folder}/munge.sock
AccountingStoragePort={accounting}
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2
JobCompType=jobcomp/none
GresTypes=gpu
{nodes}
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
PartitionName=all Nodes=n[1-4] Default=YES PriorityTier=1 State=UP
PartitionName=urgent Nodes=n[1-4] PriorityTier=10 State=UP
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=8 RealMemory=16000 "
    "State=UNKNOWN Feature={features}{resources}"
)
GRES = "NodeName={node} Name=gpu File={folder}/gpu[0-1]\n"
"""Two devices of one node, which are ``/dev/null`` by other names: Slurm alone looks at them."""
FEATURES = {"n1": "haswell,new", "n2": "haswell", "n3": "haswell,new", "n4": "haswell"}
SLURMDBD = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={accounting}
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database}
StorageUser=root
StorageLoc=accounting
"""
PROLOG = """#!/bin/sh
[ -f {folder}/environment.$SLURMD_NODENAME ] && cat {folder}/environment.$SLURMD_NODENAME
exit 0
"""
"""Prints ``export NAME=value`` lines, which Slurm puts into the environment of a node's jobs."""


class Slurm:
    """One cluster; its folder must have a short path, for sockets, and be readable by all."""

    def __init__(self, folder: Path, *, job_age: int = 300) -> None:
        """``job_age``: seconds for which the controller remembers jobs that ended."""
        self.folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        ports = dict(zip(("controller", "accounting", "database", *NODES), _ports(7), strict=True))
        host = socket.gethostname().partition(".")[0]
        nodes = "\n".join(
            NODE.format(
                name=name,
                host=host,
                port=ports[name],
                features=FEATURES[name],
                resources=" Gres=gpu:2" if name == WITH_GPUS else "",
            )
            for name in NODES
        )
        values = {"folder": folder, "host": host, "nodes": nodes, "job_age": job_age}
        values |= {"prolog": folder / "prolog", **ports}
        self._port = ports["database"]
        folder.chmod(0o755)
        for name in ("controller", *(f"spool.{node}" for node in NODES)):
            (folder / name).mkdir()
        (folder / "prolog").write_text(PROLOG.format(folder=folder))
        (folder / "prolog").chmod(0o755)
        (folder / "slurm.conf").write_text(SLURM.format(**values))
        (folder / "slurmdbd.conf").write_text(SLURMDBD.format(**values))
        (folder / "slurmdbd.conf").chmod(0o600)
        (folder / "gres.conf").write_text(GRES.format(node=WITH_GPUS, folder=folder))
        for number in range(2):
            with suppress(PermissionError):
                os.mknod(folder / f"gpu{number}", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o400)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a command needs to reach this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": _PATH}

    def start(self) -> None:
        """Start everything, and wait until all nodes are idle."""
        at = self.folder
        named = {"key": "key", "pid": "pid", "log": "log", "seed": "seed"}
        files = [f"--{key}-file={at}/munge.{name}" for key, name in named.items()]
        self._start(
            "munged", "munged", "--foreground", "--force", f"--socket={at}/munge.sock", *files
        )
        self._start_database()
        self._until((at / "munge.sock").exists, "munged")
        self.start_accounting()
        self.run("sacctmgr", "-i", "add", "cluster", "freezer")
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        self._until(lambda: set(self.states().values()) == {"idle"}, "the nodes")

    def _start_database(self) -> None:
        data, user = self.folder / "database", "--user=mysql" if os.getuid() == 0 else "--console"
        data.mkdir()
        if os.getuid() == 0:
            shutil.chown(data, "mysql", "mysql")
        self.run(
            "mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
            "--auth-root-authentication-method=normal", "--innodb-log-file-size=4M", user,
        )  # fmt: skip
        self._start(
            "mariadbd", "mariadbd", "--no-defaults", f"--datadir={data}", user,
            "--skip-grant-tables", "--bind-address=127.0.0.1", f"--port={self._port}",
            f"--socket={data}/socket", f"--pid-file={data}/pid", "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=4M", "--innodb-flush-log-at-trx-commit=0",
        )  # fmt: skip
        self._until(lambda: listens(self._port), "mariadbd")

    def start_controller(self) -> None:
        self._start("slurmctld", "slurmctld", "-D")
        self._until(lambda: self._works("sinfo"), "slurmctld")

    def restart_controller(self) -> None:
        """Stop it as an administrator does, and start it again.

        A controller that is killed may have forgotten the latest jobs, whose numbers it gave out.
        """
        self.stop_controller()
        self.start_controller()

    def stop_controller(self) -> None:
        """Stop it as an administrator does."""
        self._running["slurmctld"].terminate()
        self._running.pop("slurmctld").wait()

    def start_accounting(self) -> None:
        self._start("slurmdbd", "slurmdbd", "-D")
        self._until(lambda: self._works("sacctmgr", "-n", "list", "cluster"), "slurmdbd")

    def stop_accounting(self) -> None:
        """Kill it; the controller keeps what it has to say for later."""
        self._kill("slurmdbd")

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """Have the controller forget jobs soon after their end."""
        path = self.folder / "slurm.conf"
        usual = path.read_text()
        path.write_text(re.sub(r"(?m)^MinJobAge=.*", "MinJobAge=2", usual))
        self.run("scontrol", "reconfigure")
        try:
            yield
        finally:
            path.write_text(usual)
            self.run("scontrol", "reconfigure")

    def start_node(self, node: str) -> None:
        self._start(node, "slurmd", "-D", "-N", node)

    def kill_node(self, node: str) -> None:
        """Kill a node's daemon and every process of its jobs, as a power failure would."""
        numbers = self.run("squeue", "-h", "-w", node, "-o", "%i").split()
        self._kill(node)
        for pid in self._steps(numbers):
            _kill_family(pid)

    def different_host(self, node: str, options: str = "", before: str = "") -> None:
        """Have a node's ``docker run`` do ``before`` and take further options.

        All nodes are this machine; what differs between them is simulated here and nowhere else.
        """
        real = shutil.which("docker", path=_PATH)
        programs = self.folder / f"programs.{node}"
        programs.mkdir(exist_ok=True)
        script = (
            f'#!/bin/sh\n[ "$1" = run ] || exec {real} "$@"\nshift\n{before}\n'
            f'exec {real} run {options} "$@"\n'
        )
        (programs / "docker").write_text(script)
        (programs / "docker").chmod(0o755)
        self.set_variables(node, PATH=f"{programs}:{_PATH}")

    def set_variables(self, node: str, **values: str) -> None:
        """Give the jobs of a node further variables."""
        lines = "".join(f"export {name}={value}\n" for name, value in values.items())
        (self.folder / f"environment.{node}").write_text(lines)

    def plain_hosts(self, *nodes: str) -> None:
        """Have nodes, by default all of them, differ in nothing."""
        for node in nodes or NODES:
            (self.folder / f"environment.{node}").unlink(missing_ok=True)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True,
            check=False, timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def states(self) -> dict[str, str]:
        """Return the state of each node, as ``sinfo`` prints it."""
        lines = self.run("sinfo", "-h", "-N", "-p", "all", "-o", "%N %t").splitlines()
        return dict(line.split() for line in lines)

    def stop(self) -> None:
        """End whatever still runs: jobs, which outlive their node's daemon, then all daemons."""
        for pid in self._steps():
            _kill_family(pid)
        for name in reversed(list(self._running)):
            self._kill(name)

    def _steps(self, numbers: Sequence[str] | None = None) -> list[int]:
        """Return the processes that run jobs of this cluster, all or those of some numbers."""
        own, found = f"SLURM_CONF={self.folder}/slurm.conf".encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                line = (process / "cmdline").read_text().replace("\0", " ")
                if (
                    not line.startswith("slurmstepd: [")
                    or own not in (process / "environ").read_bytes()
                ):
                    continue
                if numbers is None or line.partition("[")[2].partition(".")[0] in numbers:
                    found.append(int(process.name))
        return found

    def _works(self, *command: str) -> bool:
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, check=False
        )
        return done.returncode == 0

    def _start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command, env={**os.environ, **self.environment}, stdout=log, stderr=log,
                cwd=self.folder, start_new_session=True,
            )  # fmt: skip

    def _kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def _until(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > deadline:
                logs = sorted(self.folder.glob("*.out")) + sorted(self.folder.glob("*.log"))
                said = "\n".join(f"{path.name}: {path.read_text()[-600:]}" for path in logs)
                raise AssertionError(f"{what} did not come up\n{said}")
            time.sleep(0.1)


def until(ready: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait for something that the cluster does by itself."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"not within {seconds:.0f} s"
        time.sleep(0.2)


def states(document: Any) -> dict[str, tuple[str, str | None]]:
    """Return state and cause of each host in the JSON of a fleet."""
    return {one["host"]: (one["state"], one["cause"]) for one in document["hosts"]}


def _kill_family(pid: int) -> None:
    """Kill a process and those below it; the first one first, which would report their end."""
    for one in _family(pid):
        with suppress(OSError):
            os.kill(one, signal.SIGKILL)


def _family(pid: int) -> Iterator[int]:
    children: list[str] = []
    with suppress(OSError):
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    below = [list(_family(int(child))) for child in children]
    yield pid
    for some in below:
        yield from some


def _ports(count: int) -> Sequence[int]:
    """Return ports that nobody listens on, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def listens(port: int) -> bool:
    """Say whether somebody listens on a port of this machine."""
    with socket.socket() as door:
        door.settimeout(1)
        return door.connect_ex(("127.0.0.1", port)) == 0
