"""Installing wheels: what pip would lay down, and a refusal for every hostile archive."""

from __future__ import annotations

import base64
import hashlib
import io
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from freezer.errors import IntegrityError
from freezer.fetch.store.store import Store
from freezer.image.clock import EARLIEST, zip_moment
from freezer.image.layers.order import clashes, plan_layers, write_layer
from freezer.image.wheel.chunks import Chunk, wheel_chunks
from freezer.image.wheel.install import Layout
from freezer.model.events import SilentReporter
from freezer.model.lock import PipPackage

LAYOUT = Layout("/opt/env", "3.11")
EPOCH = 1793491200
SITE = "opt/env/lib/python3.11/site-packages"
INFO = "demo-1.0.dist-info"


def line(path: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return f"{path},sha256={digest},{len(data)}\n"


class Maker:
    """Makes a wheel; every part can be spoiled."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {
            "demo/__init__.py": b"x = 1\n",
            f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\n",
            f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        self.record: dict[str, str] = {}
        self.modes: dict[str, int] = {}
        self.twice: list[str] = []
        self.without_record = False

    def write(self, path: Path) -> Path:
        rows = {name: line(name, data) for name, data in self.files.items()} | self.record
        record = "".join(rows.values()) + f"{INFO}/RECORD,,\n"
        files = {**self.files}
        if not self.without_record:
            files[f"{INFO}/RECORD"] = record.encode()
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                info = zipfile.ZipInfo(name)
                info.external_attr = self.modes.get(name, stat.S_IFREG | 0o644) << 16
                archive.writestr(info, data, zipfile.ZIP_DEFLATED)
            for name in self.twice:
                with pytest.warns(UserWarning, match="Duplicate"):
                    archive.writestr(name, b"again")
        return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def chunk(maker: Maker, store: Store, tmp_path: Path, **changes: Any) -> Chunk:
    path = maker.write(tmp_path / "demo-1.0-py3-none-any.whl")
    sha256 = store.put_file(path)
    package = PipPackage(
        source="pypi", file=path.name, size=path.stat().st_size, sha256=sha256,
        name="demo", version="1.0", reason="test",
    ).model_copy(update=changes)  # fmt: skip
    return wheel_chunks(
        [package], layout=LAYOUT, epoch=EPOCH, store=store, report=SilentReporter()
    )[0]


def unpack(chunks: list[Chunk], store: Store) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    layer = write_layer("test", chunks, store)
    assert layer.file.path is not None
    data = layer.file.path.read_bytes()
    assert layer.file.diff_id == f"sha256:{hashlib.sha256(data).hexdigest()}"
    found = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isreg() else None
            found[member.name] = (member, stream.read() if stream else b"")
    return found


def test_a_plain_wheel(store: Store, tmp_path: Path) -> None:
    made = chunk(Maker(), store, tmp_path, requested=True)
    found = unpack([made], store)
    assert found[f"{SITE}/demo/__init__.py"][1] == b"x = 1\n"
    assert found[f"{SITE}/{INFO}/INSTALLER"][1] == b"freezer\n"
    assert found[f"{SITE}/{INFO}/REQUESTED"][1] == b""
    assert found["opt"][0].isdir()
    # The files of this wheel have no time of their own, which in a zip is the first of 1980.
    assert {member.mtime for member, _ in found.values()} == {EARLIEST}
    record = found[f"{SITE}/{INFO}/RECORD"][1].decode().splitlines()
    assert record == sorted(record)
    assert line("demo/__init__.py", b"x = 1\n").strip() in record
    assert f"{INFO}/RECORD,," in record
    files = {f"/{name}" for name, (member, _) in found.items() if member.isreg()}
    assert files == set(made.expected(store))


def test_the_same_wheel_gives_the_same_chunk(store: Store, tmp_path: Path) -> None:
    first = chunk(Maker(), store, tmp_path)
    other = Store.open(tmp_path / "other")
    assert chunk(Maker(), other, tmp_path) == first


def test_every_scheme_goes_to_its_place(store: Store, tmp_path: Path) -> None:
    maker = Maker()
    data = "demo-1.0.data"
    maker.files |= {
        f"{data}/scripts/run": b"#!python\nprint(1)\n",
        f"{data}/scripts/tool.sh": b"#!/bin/sh\n",
        f"{data}/data/share/demo.txt": b"d",
        f"{data}/headers/demo.h": b"h",
        f"{data}/platlib/demo/fast.so": b"s",
        f"{INFO}/entry_points.txt": b"[console_scripts]\ndemo = demo:main.run\n[other]\nx = y\n",
    }
    maker.modes[f"{data}/platlib/demo/fast.so"] = stat.S_IFREG | 0o755
    found = unpack([chunk(maker, store, tmp_path)], store)
    assert found["opt/env/bin/run"][1] == b"#!/opt/env/bin/python\nprint(1)\n"
    assert found["opt/env/bin/tool.sh"][1] == b"#!/bin/sh\n"
    assert found["opt/env/share/demo.txt"][1] == b"d"
    assert found["opt/env/include/site/python3.11/demo/demo.h"][1] == b"h"
    assert found[f"{SITE}/demo/fast.so"][0].mode == 0o755
    script, code = found["opt/env/bin/demo"]
    assert script.mode == 0o755
    assert code.startswith(b"#!/opt/env/bin/python\n")
    assert b"from demo import main\n" in code
    assert b"sys.exit(main.run())" in code
    assert line("../../../bin/demo", code).strip() in found[f"{SITE}/{INFO}/RECORD"][1].decode()


def test_a_url_is_remembered_as_pep_610_says(store: Store, tmp_path: Path) -> None:
    found = unpack([chunk(Maker(), store, tmp_path, url="https://example.com/demo.whl")], store)
    assert b'"url": "https://example.com/demo.whl"' in found[f"{SITE}/{INFO}/direct_url.json"][1]


def spoil_record(maker: Maker) -> None:
    maker.record["demo/__init__.py"] = line("demo/__init__.py", b"other")


def spoil_with_absent(maker: Maker) -> None:
    maker.record["demo/gone.py"] = line("demo/gone.py", b"")


def spoil_with_unlisted(maker: Maker) -> None:
    maker.files["demo/extra.py"] = b""
    maker.record["demo/extra.py"] = ""


def spoil_with_weak_hash(maker: Maker) -> None:
    maker.record["demo/__init__.py"] = "demo/__init__.py,md5=abc,6\n"


def spoil_with_twin(maker: Maker) -> None:
    maker.twice.append("demo/__init__.py")


def spoil_with_link(maker: Maker) -> None:
    maker.files["demo/link"] = b"/etc/passwd"
    maker.modes["demo/link"] = stat.S_IFLNK | 0o777


def spoil_with_device(maker: Maker) -> None:
    maker.files["demo/dev"] = b""
    maker.modes["demo/dev"] = stat.S_IFCHR | 0o666


def spoil_with_bomb(maker: Maker) -> None:
    maker.files["demo/bomb"] = bytes(150 << 20)


def spoil_without_record(maker: Maker) -> None:
    maker.without_record = True


def spoil_version(maker: Maker) -> None:
    maker.files[f"{INFO}/WHEEL"] = b"Wheel-Version: 2.0\n"


def spoil_name(maker: Maker) -> None:
    maker.files[f"{INFO}/METADATA"] = b"Name: evil\nVersion: 1.0\n"


def spoil_with_second_info(maker: Maker) -> None:
    maker.files["evil-1.0.dist-info/METADATA"] = b""


def spoil_scheme(maker: Maker) -> None:
    maker.files["demo-1.0.data/kernel/x"] = b""


def spoil_entry_point(maker: Maker) -> None:
    maker.files[f"{INFO}/entry_points.txt"] = b"[console_scripts]\n../../etc/cron = demo:main\n"


def spoil_code_in_entry_point(maker: Maker) -> None:
    maker.files[f"{INFO}/entry_points.txt"] = b"[console_scripts]\nx = demo:main();evil\n"


def spoil_same_place(maker: Maker) -> None:
    maker.files["demo-1.0.data/purelib/demo/__init__.py"] = b"other"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_record, "does not match its RECORD"),
        (spoil_with_absent, "does not contain"),
        (spoil_with_unlisted, "has no hash for"),
        (spoil_with_weak_hash, "too weak"),
        (spoil_with_twin, "twice"),
        (spoil_with_link, "link or a device"),
        (spoil_with_device, "link or a device"),
        (spoil_with_bomb, "suspiciously many"),
        (spoil_without_record, "no RECORD"),
        (spoil_version, "Wheel-Version"),
        (spoil_name, "metadata has evil"),
        (spoil_with_second_info, "2 .dist-info"),
        (spoil_scheme, "unknown"),
        (spoil_entry_point, "entry point"),
        (spoil_code_in_entry_point, "entry point"),
        (spoil_same_place, "same path"),
    ],
)
def test_a_hostile_wheel_is_refused(spoil: Any, message: str, store: Store, tmp_path: Path) -> None:
    maker = Maker()
    spoil(maker)
    with pytest.raises(IntegrityError, match=message) as caught:
        chunk(maker, store, tmp_path)
    assert "demo-1.0-py3-none-any.whl" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/evil", "demo/../../evil", "a\\b", "demo//x", "a\nb", "./x"]
)
def test_a_member_that_leads_out_is_refused(name: str, store: Store, tmp_path: Path) -> None:
    maker = Maker()
    maker.files[name] = b"evil"
    with pytest.raises(IntegrityError, match="unsafe name"):
        chunk(maker, store, tmp_path)


def test_what_is_no_zip_is_refused(store: Store, tmp_path: Path) -> None:
    package = PipPackage(
        source="pypi", file="demo-1.0-py3-none-any.whl", size=3, sha256=store.put_bytes(b"abc"),
        name="demo", version="1.0", reason="test",
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="not a valid zip"):
        wheel_chunks([package], layout=LAYOUT, epoch=EPOCH, store=store, report=SilentReporter())


def test_a_refused_wheel_leaves_no_chunk(store: Store, tmp_path: Path) -> None:
    maker = Maker()
    spoil_record(maker)
    for _ in range(2):
        with pytest.raises(IntegrityError):
            chunk(maker, store, tmp_path)


def package(name: str, size: int) -> PipPackage:
    return PipPackage(
        source="pypi", file=f"{name}-1-py3-none-any.whl", size=size, sha256="0" * 64,
        name=name, version="1", reason="test",
    )  # fmt: skip


def test_heavy_packages_have_layers_of_their_own_below_the_light_ones() -> None:
    plans = plan_layers([package(n, s) for n, s in [("z", 9), ("torch", 10**9), ("a", 30_000_000)]])
    assert [plan.packages for plan in plans] == [("torch",), ("a",), ("z",)]
    assert plan_layers([]) == ()


def test_ten_small_changes_leave_all_layers_but_the_last_as_they_were():
    heavy = [package(f"heavy{n}", 10**6 * 4**n) for n in range(5)]
    middle = [package(f"middle{n}", 300_000 + n) for n in range(9)]
    plans = {plan_layers([*heavy, *middle, package("six", size)]) for size in range(9_000, 9_010)}
    assert len(plans) == 1
    (plan,) = plans
    assert [item.packages for item in plan[-2:]] == [("middle8",), ("six",)]


def test_a_package_that_grows_a_little_stays_where_it_is() -> None:
    def order(a: int, b: int) -> list[str]:
        return [plan.title for plan in plan_layers([package("a", a), package("b", b)])]

    assert order(20_000_000, 21_000_000) == order(21_000_000, 20_000_000) == ["a", "b"]


def test_files_that_two_packages_fight_over_are_named(store: Store, tmp_path: Path) -> None:
    one = chunk(Maker(), store, tmp_path)
    maker = Maker()
    maker.files["demo/__init__.py"] = b"y = 2\n"
    two = chunk(maker, store, tmp_path)
    said = clashes([one, two], store)
    assert any("demo/__init__.py" in sentence for sentence in said)
    assert clashes([one, one], store) == []


def test_files_have_the_time_of_their_wheel_and_none_after_the_locks() -> None:
    times = [(2024, 5, 6, 7, 8, 10), (2023, 1, 1, 0, 0, 0)]
    assert zip_moment(times, EPOCH) == 1714979290
    assert zip_moment([(2030, 1, 1, 0, 0, 0)], EPOCH) == EPOCH
    assert zip_moment([], EPOCH) == EARLIEST
    assert zip_moment([(1980, 0, 0, 0, 0, 0)], EPOCH) >= EARLIEST
