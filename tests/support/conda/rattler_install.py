"""Install conda packages with rattler: what Freezer's own linking is compared with.

Run as a program: JSON on stdin (``records``, ``target``, ``prefix``, ``cache``). A process of its
own, which leaves at once, because rattler sometimes crashes when an interpreter that used it ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import certifi

from freezer.model.lock import CondaPackage


def rattler_prefix(
    packages: Sequence[tuple[CondaPackage, Path]], folder: Path, prefix: str
) -> dict[str, tuple[bool, bytes | str]]:
    """Return what rattler lays down for ``prefix``, by path: executable or not, and content.

    Links have their target as content. conda's records are left out, and so is rattler's own mark.
    """
    question = {
        "records": [[package.model_dump(), path.as_uri()] for package, path in packages],
        "target": str(folder / "prefix"),
        "prefix": prefix,
        "cache": str(folder / "cache"),
    }
    environment = {**os.environ, "SSL_CERT_FILE": certifi.where()}
    done = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(question).encode(),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return dict(_found(folder / "prefix"))


def _found(top: Path) -> Any:
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top).as_posix()
        if name == "CACHEDIR.TAG" or name.startswith("conda-meta/"):
            continue
        if path.is_symlink():
            yield name, (True, str(path.readlink()))
        elif path.is_file():
            yield name, (bool(path.stat().st_mode & 0o100), path.read_bytes())


async def _install(question: dict[str, Any]) -> None:
    from rattler import BuildString, PackageRecord, RepoDataRecord, install

    records = []
    for item, url in question["records"]:
        record = PackageRecord(
            name=item["name"],
            version=item["version"],
            build=BuildString(item["build"]),
            build_number=item["build_number"],
            subdir=item["subdir"],
            noarch=item["noarch"],
            depends=list(item["depends"]),
            constrains=list(item["constrains"]),
            sha256=bytes.fromhex(item["sha256"]),
            size=item["size"],
            python_site_packages_path=item["python_site_packages_path"],
        )
        channel = url.rsplit("/", 2)[0] + "/"
        records.append(RepoDataRecord(record, url.rpartition("/")[2], url, channel))
    await install(
        records,
        target_prefix=question["target"],
        cache_dir=question["cache"],
        show_progress=False,
        alternative_target_prefix=question["prefix"],
    )


if __name__ == "__main__":
    asyncio.run(_install(json.load(sys.stdin)))
    sys.stdout.flush()
    os._exit(0)
