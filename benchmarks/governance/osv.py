"""Reads a zip of OSV records and compares it with a lock of many packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from freezer.flows.governance.osv_database import read_database
from freezer.governance.policy.osv import matches
from freezer.model.lock import PipPackage
from freezer.model.lockfile import LOCK_FILE, parse_lock

ROOT = Path(__file__).parents[2]


def main() -> None:
    count = int(os.environ["BENCHMARK_PACKAGES"])
    path = ROOT / "lockfiles" / "sklearn-cpu" / LOCK_FILE
    lock = parse_lock(path.read_bytes(), "sklearn-cpu")
    packages = tuple(
        PipPackage(source="pypi", file=f"{n}.whl", size=1, sha256=f"{n:064x}",
                   name=f"package-{n}", version=f"1.{n % 12}", reason="x")
        for n in range(count)
    )  # fmt: skip
    database = read_database(Path(sys.argv[1]), "osv.zip")
    found = list(matches(lock.model_copy(update={"pip": packages}), database))
    print(database.records, len(found), {match.severity for match in found})


if __name__ == "__main__":
    main()
