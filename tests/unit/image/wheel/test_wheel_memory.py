"""The way of a wheel into an image is a stream: its size does not show in the memory that it takes.

Measured in processes of their own, with a large file of data and a large program in the wheel:
fetched into the store, linked to a chunk, joined to a layer, compressed and unpacked again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.memory.wheels import make_wheel

MAKE = """
import sys
from pathlib import Path
from freezer.fetch.registry.compressed_layers import compress, decompress
from freezer.fetch.store.store import Store
from freezer.image.layers.order import write_layer
from freezer.image.wheel.chunks import wheel_chunks
from freezer.image.wheel.install import Layout
from freezer.model.events import SilentReporter
from freezer.model.lock import PipPackage

wheel, folder = map(Path, sys.argv[1:])
store = Store.open(folder / "store")
sha256 = store.put_file(wheel)
package = PipPackage(
    source="pypi", file=wheel.name, size=wheel.stat().st_size, sha256=sha256,
    name="big", version="1.0", reason="test",
)
chunks = wheel_chunks(
    [package], layout=Layout("/opt/env", "3.11"), epoch=1793491200, store=store,
    report=SilentReporter(),
)
layer = write_layer("big", chunks, store).file
assert layer.path.stat().st_size > wheel.stat().st_size
packed = compress(store, layer.diff_id, layer.path, lambda _: None)
decompress(store.path(packed.digest.removeprefix("sha256:")), layer.diff_id, folder / "layer.tar")
store.verified(sha256)
# Not ru_maxrss: that begins with what the process had from which this one was started.
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) >> 10)
"""


def peak(folder: Path, megabytes: int) -> int:
    """Return the largest resident set in MB of a process that does all of it."""
    wheel = make_wheel(folder / "wheels", "big", megabytes, scripts=megabytes // 5)
    (folder / str(megabytes)).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", MAKE, str(wheel), str(folder / str(megabytes))],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.process
def test_a_wheel_of_300_megabytes_takes_no_more_memory_than_one_of_10(tmp_path: Path) -> None:
    small, large = peak(tmp_path, 10), peak(tmp_path, 300)
    assert large < 400, "megabytes, whatever the environment has"
    assert large - small < 25
