"""An index made large: real records, and copies of them under names that nobody asks for.

python -m benchmarks.conda.padding SOURCE TARGET BYTES
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path


def pad(source: Path, target: Path, size: int) -> Path:
    """Write a channel whose ``linux-64`` index has at least ``size`` bytes; return its folder."""
    for subdir in ("linux-64", "noarch"):
        (target / subdir).mkdir(parents=True)
    shutil.copy(source / "noarch" / "repodata.json", target / "noarch" / "repodata.json")
    document = json.loads((source / "linux-64" / "repodata.json").read_text())
    records = document["packages.conda"]
    real = dict(records)
    copies = 0
    per_copy = len(json.dumps(real))
    while per_copy * (copies + 1) < size:
        copies += 1
        for file, record in real.items():
            name = f"{record['name']}-copy{copies}"
            records[f"{name}{file.removeprefix(record['name'])}"] = {**record, "name": name}
    (target / "linux-64" / "repodata.json").write_text(json.dumps(document))
    return target


if __name__ == "__main__":
    pad(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
