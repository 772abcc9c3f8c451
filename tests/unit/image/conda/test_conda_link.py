"""Linking conda packages: what conda would lay down, the same in every run."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from freezer.image.clock import EARLIEST
from freezer.image.conda.chunks import history_chunk, python_closure
from freezer.image.layers.order import write_layer
from freezer.model.lock import CondaPackage
from tests.support.conda.channel_files import JANUARY, PLACEHOLDER, File, Link
from tests.support.conda.condapackages import EPOCH, LAYOUT, SITE, Shop, made


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "store")


def described(shop: Shop, *packages: CondaPackage) -> dict[str, Any]:
    """Return the conda-meta record of the first package."""
    path = f"opt/env/conda-meta/{packages[0].name}-1.0-h0_0.json"
    data = shop.files(*packages)[path]
    assert isinstance(data, bytes)
    found: dict[str, Any] = json.loads(data)
    return found


def test_files_links_and_modes(shop: Shop) -> None:
    package = shop.take(
        made(
            {
                "lib/libx.so.1": File(b"x"),
                "lib/libx.so": Link("libx.so.1"),
                "bin/x": File(b"#!", True),
            }
        )
    )
    (chunk,) = shop.link(package)
    found = {member.name: (member.mode, data) for member, data in shop.members(chunk)}
    record = found.pop("opt/env/conda-meta/demo-1.0-h0_0.json")
    assert found == {
        "opt/env/bin/x": (0o755, b"#!"),
        "opt/env/lib/libx.so": (0o777, "libx.so.1"),
        "opt/env/lib/libx.so.1": (0o644, b"x"),
    }
    assert record[0] == 0o644
    assert {(m.mtime, m.uid, m.gid, m.uname) for m, _ in shop.members(chunk)} == {
        (JANUARY, 0, 0, "")
    }


def test_the_index_lists_what_the_image_must_hold(shop: Shop) -> None:
    files = {"lib/a": File(b"a"), "lib/b": Link("a"), "share/c": File(PLACEHOLDER.encode())}
    (chunk,) = shop.link(shop.take(made(files)))
    expected = chunk.expected(shop.store)
    held = {
        f"/{member.name}": data if isinstance(data, str) else hashlib.sha256(data).hexdigest()
        for member, data in shop.members(chunk)
    }
    assert {path: fact.content for path, fact in expected.items()} == held
    assert expected["/opt/env/lib/b"].kind == "link"


def test_both_formats_give_the_same_files(shop: Shop) -> None:
    package = made({"lib/a": File(b"a"), "lib/b": Link("a"), "etc/c": File(PLACEHOLDER.encode())})
    new = shop.files(shop.take(package))
    old = shop.files(shop.take(package, package.packed_bz2(), suffix=".tar.bz2"))
    record = "opt/env/conda-meta/demo-1.0-h0_0.json"
    assert {**new, record: b""} == {**old, record: b""}


def test_another_host_and_another_run_give_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    package = made({"lib/a": File(PLACEHOLDER.encode()), "bin/b": File(b"b", True)})
    (here,) = shop.link(shop.take(package))
    other = Shop(tmp_path / "elsewhere")
    (there,) = other.link(other.take(package))
    assert (here.sha256, here.index, here.key) == (there.sha256, there.index, there.key)
    data = shop.store.verified(here.sha256).read_bytes()
    assert str(tmp_path).encode() not in data


def test_a_package_is_the_same_in_every_environment(shop: Shop) -> None:
    package = shop.take(made({"lib/a": File(b"a")}))
    other = shop.take(made({"lib/b": File(b"b")}, "other"))
    (alone,) = shop.link(package)
    assert shop.link(other, package)[1] == alone


def test_a_chunk_is_made_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    package = shop.take(made({"lib/a": File(b"a")}))
    first = shop.link(package)
    monkeypatch.setattr("freezer.image.conda.chunks.open_conda", None)
    assert shop.link(package) == first


def test_a_chunk_that_vanished_is_made_again(shop: Shop) -> None:
    package = shop.take(made({"lib/a": File(b"a")}))
    (first,) = shop.link(package)
    shop.store.path(first.sha256).unlink()
    assert shop.link(package) == [first]


@pytest.mark.parametrize(
    ("built", "epoch", "moment"),
    [(None, EPOCH, EARLIEST), (JANUARY * 1000 + 999, EPOCH, JANUARY), (JANUARY * 1000, 9**9, 9**9)],
    ids=["unknown", "whole seconds", "never later than the lock"],
)
def test_files_have_the_time_of_their_build(
    shop: Shop, built: int | None, epoch: int, moment: int
) -> None:
    package = shop.take(made({"lib/a": File(b"a")}), timestamp=built)
    (chunk,) = shop.link(package, epoch=epoch)
    assert chunk.moment == moment
    assert {member.mtime for member, _ in shop.members(chunk)} == {moment}


def test_noarch_modules_go_where_python_has_them(shop: Shop) -> None:
    package = made(
        {
            "site-packages/demo/__init__.py": File(b""),
            "python-scripts/demo-tool": File(b"#!/bin/sh\n", True),
            "share/demo.txt": File(b"d"),
        },
        noarch="python",
    )
    paths = shop.files(shop.take(package)).keys()
    assert {f"{SITE}/demo/__init__.py", "opt/env/bin/demo-tool", "opt/env/share/demo.txt"} < paths


def test_noarch_generic_files_stay_where_they_are(shop: Shop) -> None:
    package = made({"site-packages/x.py": File(b"")}, noarch="generic")
    assert "opt/env/site-packages/x.py" in shop.files(shop.take(package))


def test_python_may_say_where_modules_go(shop: Shop) -> None:
    package = shop.take(made({"site-packages/x.py": File(b"")}, noarch="python"))
    usual = shop.link(package)[0]
    python = shop.take(
        made({"bin/python3.13": File(b"")}, "python"),
        python_site_packages_path="lib/python3.13t/site-packages",
    )
    assert "opt/env/lib/python3.13t/site-packages/x.py" in shop.files(package, python)
    assert shop.link(package, python)[0].key != usual.key


def test_entry_points_become_scripts(shop: Shop) -> None:
    package = made(
        {"site-packages/demo.py": File(b"")},
        noarch="python",
        entry_points=("demo = demo.cli:App.main",),
    )
    script = shop.files(shop.take(package))["opt/env/bin/demo"]
    assert isinstance(script, bytes)
    assert script.startswith(b"#!/opt/env/bin/python3.11\n")
    assert b"\nfrom demo.cli import App\n" in script
    assert b"sys.exit(App.main())" in script
    compile(script, "demo", "exec")


def test_byte_code_of_packages_is_left_for_the_images_python(shop: Shop) -> None:
    folder = "lib/python3.11/site-packages"
    package = made(
        {
            f"{folder}/a.py": File(b""),
            f"{folder}/__pycache__/a.cpython-311.pyc": File(b"\0" * 16),
            f"{folder}/__pycache__/orphan.cpython-311.pyc": File(b"\0" * 16),
            f"{folder}/sourceless.pyc": File(b"\0" * 16),
        }
    )
    locked = shop.take(package)
    paths = shop.files(locked)
    assert f"{SITE}/__pycache__/a.cpython-311.pyc" not in paths
    assert f"{SITE}/__pycache__/orphan.cpython-311.pyc" in paths
    assert f"{SITE}/sourceless.pyc" in paths
    kinds = {p["_path"]: p["path_type"] for p in described(shop, locked)["paths_data"]["paths"]}
    assert kinds[f"{folder}/__pycache__/a.cpython-311.pyc"] == "pyc_file"


def test_conda_meta_says_what_conda_asks_of_it(shop: Shop) -> None:
    package = shop.take(
        made(
            {"etc/a": File(b"at " + PLACEHOLDER.encode()), "lib/b": File(b"b"), "lib/c": Link("b")},
            depends=("python >=3.11",),
        ),
        requested=True,
    )
    found = described(shop, package)
    known = {
        key: found[key] for key in ("name", "version", "build", "build_number", "fn", "sha256")
    }
    assert known == {
        "name": "demo",
        "version": "1.0",
        "build": "h0_0",
        "build_number": 0,
        "fn": "demo-1.0-h0_0.conda",
        "sha256": package.sha256,
    }
    assert found["depends"] == ["python >=3.11"]
    assert found["requested_specs"] == ["demo"]
    assert found["files"] == ["etc/a", "lib/b", "lib/c"]
    assert found["url"] == f"{found['channel']}/demo-1.0-h0_0.conda"
    assert re.fullmatch(r"https://[^/]+/lab/linux-64", found["channel"])
    moved = hashlib.sha256(b"at /opt/env").hexdigest()
    packed = hashlib.sha256(b"at " + PLACEHOLDER.encode()).hexdigest()
    assert found["paths_data"]["paths"][0] == {
        "_path": "etc/a",
        "path_type": "hardlink",
        "sha256": packed,
        "sha256_in_prefix": moved,
        "size_in_bytes": 11,
        "prefix_placeholder": PLACEHOLDER,
        "file_mode": "text",
    }


def test_noarch_records_name_the_byte_code_that_will_be_there(shop: Shop) -> None:
    package = shop.take(made({"site-packages/demo/a.py": File(b"")}, noarch="python"))
    assert described(shop, package)["files"] == [
        "lib/python3.11/site-packages/demo/__pycache__/a.cpython-311.pyc",
        "lib/python3.11/site-packages/demo/a.py",
    ]


def test_records_name_no_byte_code_of_test_suites(shop: Shop) -> None:
    suite = {"site-packages/demo/tests/test_a.py": File(b"")}
    noarch = shop.take(made(suite, noarch="python"))
    place = "lib/python3.11/site-packages/demo/tests"
    assert described(shop, noarch)["files"] == [f"{place}/test_a.py"]
    own = {
        f"{place}/test_a.py": File(b""),
        f"{place}/__pycache__/test_a.cpython-311.pyc": File(b"\0" * 16),
    }
    assert described(shop, shop.take(made(own)))["files"] == [f"{place}/test_a.py"]


def test_packages_from_before_paths_json(shop: Shop) -> None:
    old = "/opt/anaconda1anaconda2anaconda3"
    package = made(
        {
            "bin/a b": File(f"#!{old}/bin/python".encode(), True),
            "etc/c": File(f"{PLACEHOLDER}/etc".encode()),
            "etc/d": File(f"{PLACEHOLDER}/etc".encode()),
        }
    )
    info = {path: data for path, data in package.info().items() if path != "info/paths.json"}
    info["info/has_prefix"] = f'bin/a b\n"{PLACEHOLDER}" text "etc/c"\n'.encode()
    found = shop.files(shop.take(package, package.packed_with(info)))
    assert found["opt/env/bin/a b"] == b"#!/opt/env/bin/python"
    assert found["opt/env/etc/c"] == b"/opt/env/etc"
    assert found["opt/env/etc/d"] == f"{PLACEHOLDER}/etc".encode()


def test_an_empty_folder_is_kept(shop: Shop) -> None:
    package = made({"lib/a": File(b"a")})
    paths = [*package.paths(), {"_path": "var/empty", "path_type": "directory"}]
    info = package.info() | {"info/paths.json": json.dumps({"paths": paths}).encode()}
    (chunk,) = shop.link(shop.take(package, package.packed_with(info)))
    folders = [member.name for member, _ in shop.members(chunk) if member.isdir()]
    assert folders == ["opt/env/var/empty"]


def test_scripts_are_laid_down_and_named_but_never_run(shop: Shop) -> None:
    package = shop.take(
        made(
            {
                "bin/.demo-post-link.sh": File(b"touch /tmp/freezer-ran\n", True),
                "etc/conda/activate.d/demo.sh": File(b"export A=1\n"),
            }
        )
    )
    for _ in range(2):  # what is known of a chunk is said again in every build
        assert "opt/env/bin/.demo-post-link.sh" in shop.files(package)
    assert len(shop.heard.warnings) == 2
    assert "demo 1.0 from lab has a script to run" in shop.heard.warnings[1]
    assert "demo would set variables" in shop.heard.notes[1]


def test_what_only_the_lock_knows_makes_another_chunk(shop: Shop) -> None:
    package = shop.take(made({"lib/a": File(b"a")}))
    (plain,) = shop.link(package)
    (asked,) = shop.link(package.model_copy(update={"requested": True}))
    (patched,) = shop.link(package.model_copy(update={"depends": ("libc",)}))
    (reasoned,) = shop.link(package.model_copy(update={"reason": "another"}))
    assert len({plain.key, asked.key, patched.key}) == 3
    assert reasoned == plain


def test_history_makes_the_prefix_an_environment(shop: Shop) -> None:
    first = shop.take(made({}, "b"), requested=True)
    second = shop.take(made({}, "a", noarch="generic"))
    chunk = history_chunk([first, second], layout=LAYOUT, epoch=EPOCH, store=shop.store)
    ((member, data),) = shop.members(chunk)
    assert member.name == "opt/env/conda-meta/history"
    assert data == (
        b"==> 2026-11-01 00:00:00 <==\n"
        b"# cmd: freeze build\n"
        b"+lab/noarch::a-1.0-h0_0\n"
        b"+lab/linux-64::b-1.0-h0_0\n"
        b'# update specs: ["b"]\n'
    )


def test_chunks_become_a_layer(shop: Shop) -> None:
    package = shop.take(made({"lib/a": File(b"a")}))
    layer = write_layer("demo", shop.link(package), shop.store)
    assert layer.file.path is not None
    assert layer.size == layer.file.path.stat().st_size


def test_python_comes_with_what_it_needs(shop: Shop) -> None:
    packages = [
        shop.take(made({}, name, depends=depends))
        for name, depends in {
            "numpy": ("python >=3.11",),
            "python": ("OpenSSL >=3,<4", "__glibc >=2.17", "libzlib"),
            "openssl": ("ca-certificates",),
            "ca-certificates": (),
            "libzlib": (),
        }.items()
    ]
    names = [package.name for package in python_closure(packages)]
    assert names == ["python", "openssl", "ca-certificates", "libzlib"]
