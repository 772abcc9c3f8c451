"""A ``docker`` program that runs a container's command on this host, at the folders of its mounts.

It confines nothing: what is tried with it is the program that starts containers, not containers.
"""

from __future__ import annotations

import sys
from pathlib import Path

_PROGRAM = """#!{python}
import csv, json, os, sys
words = sys.argv[1:]
told = {host!r}
if os.path.exists(told + "." + os.environ.get("SLURMD_NODENAME", "")):
    told += "." + os.environ["SLURMD_NODENAME"]
with open({log!r}, "a") as log:
    log.write(json.dumps(words) + "\\n")
if words[0] == "version":
    print("28.5.2")
elif words[0] == "image":
    print("sha256:{digest}")
elif words[0] == "info":
    print("[name=seccomp]")
elif words[0] == "run":
    if os.path.exists({refusal!r}):
        sys.stderr.write(open({refusal!r}).read())
        sys.exit(125)
    mounts, variables, rest = {{}}, {{}}, words[1:]
    while rest:
        one = rest.pop(0)
        if one in ("--rm", "--interactive", "--read-only"):
            continue
        if not one.startswith("--"):
            break
        value = rest.pop(0)
        if one == "--mount":
            found = dict(part.partition("=")[::2] for part in next(csv.reader([value])))
            mounts[found["dst"]] = found["src"]
        elif one == "--env":
            name, mark, text = value.partition("=")
            variables[name] = text if mark else os.environ[name]
        elif one == "--entrypoint":
            entrypoint = value
    if rest[:2] == ["-m", "freezer_inside.fingerprint"]:
        print(open(told).read())
        sys.exit(0)
    variables["FREEZER_OUTPUT"] = mounts["/output"]
    runner = mounts["/opt/freezer/freezer_runner"] + "/runner.py"
    os.chdir(mounts["/code"])
    variables.pop("FREEZER_FINGERPRINT", None)
    with open(told) as source, open(mounts["/freezer"] + "/host", "w") as target:
        target.write(source.read())
    os.execve(sys.executable, [sys.executable, runner, mounts["/freezer"], *rest[2:]],
              {{**variables, "PATH": os.environ["PATH"]}})
"""


class NoContainer:
    """The program, what it was called with, and what it is to say."""

    def __init__(self, folder: Path, digest: str, host: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._log = folder / "calls"
        self._log.touch()
        (folder / "host").write_text(host)
        program = folder / "docker"
        program.write_text(
            _PROGRAM.format(
                python=sys.executable,
                digest=digest,
                log=str(self._log),
                refusal=str(folder / "refusal"),
                host=str(folder / "host"),
            )
        )
        program.chmod(0o755)

    def differs(self, node: str, host: str) -> None:
        """Let containers on a node report other lines of their host."""
        (self.folder / f"host.{node}").write_text(host)

    def refuse(self, said: str) -> None:
        """Start no container from now on."""
        (self.folder / "refusal").write_text(said)

    def calls(self) -> str:
        """Return the command lines of all calls, one a line."""
        return self._log.read_text()
