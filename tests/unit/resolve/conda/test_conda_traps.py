"""rattler's known traps, each shown to be there, and Freezer shown to walk around it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import rattler

from freezer.errors import IntegrityError, ResolveError
from freezer.fetch.conda.source import CondaChannels
from freezer.fetch.config import Config
from freezer.fetch.store.download import fetch_all
from freezer.model.events import SilentReporter
from freezer.resolve.conda.solver import indexes
from freezer.resolve.conda.solver import process as child
from tests.support.conda.condaindex import DAY, JANUARY, VIRTUAL, Room, pins, record
from tests.support.conda.condapackages import File, Shop, made
from tests.support.conda.rattler_install import rattler_prefix


@pytest.fixture(autouse=True)
def process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each question start the Python that users have started."""
    monkeypatch.setattr(indexes, "run_worker", child.run_worker)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.mark.process
def test_rattler_installs_a_local_file_whatever_it_hashes_to(tmp_path: Path) -> None:
    """The trap itself: another SHA-256 than the record's, and not a word."""
    shop = Shop(tmp_path / "store")
    packed = made({"share/demo.txt": File(b"other bytes")}).packed()
    package = shop.take(made({"share/demo.txt": File(b"the bytes that were locked")}))
    path = tmp_path / package.file
    path.write_bytes(packed)
    assert hashlib.sha256(packed).hexdigest() != package.sha256
    found = rattler_prefix([(package, path)], tmp_path, "/opt/env")
    assert found["share/demo.txt"] == (False, b"other bytes")


@pytest.mark.process
def test_a_wrong_hash_of_a_local_file_is_noticed(room: Room) -> None:
    """rattler installs a file from a folder whatever it hashes to; nothing is used unverified."""
    good = b"the archive that was indexed"
    entry = record("a", sha256=hashlib.sha256(good).hexdigest(), size=len(good))
    channel = room.channel("forge", entry)
    archive = room.folder / "channels" / "forge" / "linux-64" / "a-1.0-0.conda"
    packages = room.solve("a").packages
    source = CondaChannels.from_config(Config(), [channel])

    archive.write_bytes(b"something else of that size!")
    with pytest.raises(IntegrityError, match="not the file that was locked"):
        fetch_all(packages, store=room.store, sources=[source], report=SilentReporter())
    assert not room.store.has(packages[0].sha256)

    archive.write_bytes(good)
    found = fetch_all(packages, store=room.store, sources=[source], report=SilentReporter())
    assert found[packages[0].sha256].read_bytes() == good


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run rattler's own ways in a process of their own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=child.environment(),
        check=False,
    )


def priorities(room: Room) -> None:
    """The upper channel has an old ``a``, the lower a newer one."""
    room.channel("upper", record("a", "1.0"), record("c", "1.0"))
    room.channel("lower", record("a", "2.0"), record("b", "1.0", depends=["a"]))


@pytest.mark.process
def test_rattlers_gateway_leaks_priorities(room: Room) -> None:
    """Why the gateway is not used: it serves a version from a channel that should be shadowed."""
    priorities(room)
    code = """if True:
        import asyncio, os, rattler, sys
        records = asyncio.run(rattler.solve(
            sources=[rattler.Channel(url) for url in sys.argv[2:]],
            specs=["a >=2"],
            platforms=["linux-64", "noarch"],
            gateway=rattler.Gateway(cache_dir=sys.argv[1]),
            channel_priority=rattler.ChannelPriority.Strict,
        ))
        print(*(record.version for record in records), flush=True)
        os._exit(0)
    """
    urls = [channel.urls[0] for channel in room.channels]
    assert run(code, str(room.folder / "gateway"), *urls).stdout == "2.0\n"


@pytest.mark.process
def test_a_name_is_taken_from_the_first_channel_that_has_it(room: Room) -> None:
    priorities(room)
    assert pins(room.solve("a", "b")) == {"a": "1.0 0", "b": "1.0 0"}
    error = room.fails("a >=2")
    assert isinstance(error, ResolveError)
    assert "change the order of `channels`" in str(error)


@pytest.mark.process
def test_a_channel_named_with_the_package_is_obeyed(room: Room) -> None:
    priorities(room)
    [package] = room.solve("lower::a").packages
    assert (package.channel, package.version) == ("lower", "2.0")
    [package] = room.solve("upper::a").packages
    assert (package.channel, package.version) == ("upper", "1.0")
    assert "the channel upper has no package called b" in str(room.fails("upper::b"))


@pytest.mark.process
def test_the_solver_leaves_before_it_can_crash() -> None:
    """rattler crashes in some runs when the interpreter ends by itself; the child never does."""
    code = "import atexit, sys; atexit.register(lambda: sys.stderr.write('ended by itself')); "
    code += (
        "import runpy; runpy.run_module('freezer.resolve.conda.solver.worker', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"{}", capture_output=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == b""
    assert "failure" in json.loads(done.stdout)


@pytest.mark.process
def test_solves_in_a_row_end_well(room: Room) -> None:
    room.channel("forge", record("a", "1.0"))
    assert {str(pins(room.solve("a"))) for _ in range(4)} == {"{'a': '1.0 0'}"}


@pytest.mark.process
def test_the_cut_off_is_utc_wherever_the_machine_is(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rattler reads the clock of any zone as UTC's; fourteen hours would let packages slip in."""
    noon = JANUARY + DAY // 2
    room.channel("forge", record("a", "1.0"), record("a", "2.0", timestamp=noon))
    for zone in ("Pacific/Kiritimati", "Etc/GMT+12"):
        monkeypatch.setenv("TZ", zone)
        assert pins(room.solve("a", as_of="2026-01-01T11:59:59Z")) == {"a": "1.0 0"}
    assert pins(room.solve("a", as_of="2026-01-01T12:00:00Z")) == {"a": "2.0 0"}
    assert pins(room.solve("a", as_of="2026-01-02T01:59:00+14:00")) == {"a": "1.0 0"}


def test_rattler_ignores_the_zone_of_a_moment(room: Room) -> None:
    """The trap itself: 14:00 at +14:00 is midnight UTC, and rattler takes it for 14:00 UTC."""
    room.channel("forge", record("a", "1.0", timestamp=JANUARY + DAY // 2))
    path = room.folder / "channels" / "forge" / "linux-64" / "repodata.json"
    sparse = rattler.SparseRepoData(rattler.Channel("forge"), "linux-64", path)
    moment = datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=14)))
    assert moment.astimezone(UTC).hour == 0
    found = asyncio.run(rattler.solve_with_sparse_repodata(["a"], [sparse], exclude_newer=moment))
    assert len(found) == 1


@pytest.mark.process
def test_a_channel_that_was_indexed_today_is_not_too_new(room: Room) -> None:
    today = JANUARY + 300 * DAY
    room.channel("forge", record("a", "1.0", indexed_timestamp=today))
    assert pins(room.solve("a")) == {"a": "1.0 0"}


@pytest.mark.process
def test_a_package_of_unknown_age_is_taken_only_when_nothing_else_will_do(room: Room) -> None:
    room.channel("forge", record("a", "1.0"), record("a", "2.0", timestamp=None))
    known = room.solve("a")
    assert (pins(known), known.warnings) == ({"a": "1.0 0"}, ())
    unknown = room.solve("a >=2")
    assert pins(unknown) == {"a": "2.0 0"}
    assert unknown.warnings == ("a: no build time is known, so the cut-off could not be checked",)


@pytest.mark.process
def test_no_ca_certificates_are_needed(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """rattler's gateway cannot be made where it finds none, even when it is to read a folder."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent/certificates.pem")
    monkeypatch.setenv("SSL_CERT_DIR", "/nonexistent")
    made = [sys.executable, "-c", "import rattler; rattler.Gateway()"]
    assert subprocess.run(made, capture_output=True, check=False).returncode != 0
    assert run("import os, rattler; rattler.Gateway(); os._exit(0)").returncode == 0
    room.channel("forge", record("a", "1.0"))
    assert pins(room.solve("a")) == {"a": "1.0 0"}
    assert Path(child.environment()["SSL_CERT_FILE"]).is_file()


def test_certificates_that_the_user_names_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ours.pem").write_text("")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ours.pem"))
    assert child.environment()["SSL_CERT_FILE"] == str(tmp_path / "ours.pem")


@pytest.mark.process
def test_what_is_no_ordinary_exception_is_an_error_all_the_same(room: Room) -> None:
    room.channel("forge", record("a", "1.0"))
    error = room.fails("a", virtual_packages={"__glibc": "not a version at all!"})
    assert isinstance(error, ResolveError)
    assert "the conda solver rejected the request" in str(error)


@pytest.mark.process
def test_a_solver_that_dies_is_an_error_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_WORKER", "no_such_module_of_ours")
    with pytest.raises(ResolveError, match="ended without a result") as caught:
        child.run_worker({})
    assert "No module named no_such_module_of_ours" in str(caught.value)


@pytest.mark.process
def test_a_file_of_the_users_is_not_taken_for_rattler(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rattler.py").write_text("raise SystemExit('not this one')\n")
    monkeypatch.chdir(tmp_path)
    room.channel("forge", record("a", "1.0"))
    assert pins(room.solve("a", virtual_packages=VIRTUAL)) == {"a": "1.0 0"}
