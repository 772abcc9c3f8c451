from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, RunOptions
from freezer.errors import BuildError, IntegrityError
from freezer.fetch.store.store import Store
from freezer.image.base import engine_base
from freezer.image.debian.bootstrap import make_base
from freezer.image.oci.config import image_id
from freezer.model.lock import DebianPackage
from tests.support.debian.bases import SILENT, SUITE, TestBase
from tests.support.debian.debs import make_deb

pytestmark = [pytest.mark.engine, pytest.mark.archive]


def sh(engine: Engine, base: TestBase, script: str) -> str:
    result = engine.run(base.reference, ["/bin/sh", "-c", script], RunOptions(user="0:0"))
    assert result.exit_code == 0, result.stderr
    return result.stdout.decode()


@pytest.fixture(scope="module")
def fresh_store(bootstrapped_base: TestBase, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store that holds the packages and remembers nothing."""
    store = Store.open(tmp_path_factory.mktemp("fresh"))
    for package in bootstrapped_base.base.packages:
        store.put_file(bootstrapped_base.store.verified(package.sha256))
    return store


@pytest.fixture(scope="module")
def members(bootstrapped_base: TestBase) -> Iterator[dict[str, tarfile.TarInfo]]:
    (diff_id,) = bootstrapped_base.base.diff_ids
    path = bootstrapped_base.store.verified(diff_id.removeprefix("sha256:"))
    with tarfile.open(path) as archive:
        yield {info.name: info for info in archive}


def test_made_again_from_nothing_it_is_the_same_to_the_bit(
    engine: Engine, bootstrapped_base: TestBase, fresh_store: Store
) -> None:
    known = bootstrapped_base.base
    made = [
        make_base(
            SUITE,
            packages,
            bootstrapped_base.architecture,
            engine=engine,
            store=fresh_store,
            report=SILENT,
        )
        for packages in (known.packages, known.packages[::-1])
    ]
    assert made[0] == made[1]
    config, layer = made[0]
    assert (image_id(config), (layer.diff_id,)) == (known.config, known.diff_ids)


def test_dpkg_knows_every_package_and_finds_no_fault(
    engine: Engine, bootstrapped_base: TestBase
) -> None:
    show = "'${Package} ${Version} ${Architecture} ${db:Status-Abbrev}\\n'"
    said = sh(engine, bootstrapped_base, f"dpkg --audit; dpkg-query -W -f={show}")
    assert sorted(said.splitlines()) == sorted(
        f"{package.name} {package.version} {package.architecture} ii "
        for package in bootstrapped_base.base.packages
    )


def test_apt_works_and_has_nowhere_to_go(engine: Engine, bootstrapped_base: TestBase) -> None:
    said = sh(
        engine,
        bootstrapped_base,
        "apt-get --version | head -1; apt-get check >/dev/null; find /etc/apt -name '*.list' "
        "-o -name '*.sources'; ls /usr/share/keyrings/debian-archive-keyring.gpg",
    )
    first, *rest = said.splitlines()
    assert first.startswith("apt ")
    assert rest == ["/usr/share/keyrings/debian-archive-keyring.gpg"]


def test_usr_is_merged_and_scripts_have_run(engine: Engine, bootstrapped_base: TestBase) -> None:
    said = sh(
        engine,
        bootstrapped_base,
        "readlink /bin /lib /sbin; awk 'BEGIN { print \"awk\" }'; id -un; getent passwd _apt "
        "| cut -d: -f1; ls /etc/ld.so.cache; ls -d /usr/sbin/policy-rc.d 2>/dev/null || echo none",
    )
    assert said.split() == [
        "usr/bin", "usr/lib", "usr/sbin", "awk", "root", "_apt", "/etc/ld.so.cache", "none",
    ]  # fmt: skip


def test_nothing_of_one_run_or_one_host_is_left(members: dict[str, tarfile.TarInfo]) -> None:
    below = [path for path in members if path.split("/")[0] in ("dev", "proc", "sys", "tmp", "run")]
    assert sorted(below) == ["dev", "proc", "run", "sys", "tmp"]
    assert not {
        "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/passwd-", "etc/shadow-", ".dockerenv",
        "freezer-system", "var/lib/dpkg/status-old", "var/log/dpkg.log",
    } & set(members)  # fmt: skip
    assert members["tmp"].mode == 0o1777
    assert members["root"].mode == 0o700
    assert len({info.mtime for info in members.values()}) == 1


def test_manuals_stay_away_and_licences_come_along(members: dict[str, tarfile.TarInfo]) -> None:
    files = [path for path, info in members.items() if info.isreg()]
    documents = [path for path in files if path.startswith("usr/share/doc/")]
    assert len(documents) > 50
    assert {path.rsplit("/", 1)[-1] for path in documents} == {"copyright"}
    assert not [path for path in files if path.startswith("usr/share/man/")]
    assert members["usr/share/man/man1"].isdir()


def test_the_config_is_the_images_and_nothing_more(
    engine: Engine, bootstrapped_base: TestBase
) -> None:
    config, _ = make_base(
        SUITE,
        bootstrapped_base.base.packages,
        bootstrapped_base.architecture,
        engine=engine,
        store=bootstrapped_base.store,
        report=SILENT,
    )
    document = json.loads(config)
    assert set(document) == {"architecture", "os", "created", "config", "rootfs", "history"}
    assert document["config"]["Env"][0].startswith("PATH=")


def test_a_base_that_is_not_the_locked_one_is_refused(
    engine: Engine, bootstrapped_base: TestBase
) -> None:
    other = bootstrapped_base.base.model_copy(update={"config": f"sha256:{'0' * 64}"})
    with pytest.raises(IntegrityError, match="not the one that was locked") as caught:
        engine_base(
            other,
            bootstrapped_base.platform,
            engine=engine,
            store=bootstrapped_base.store,
            report=SILENT,
        )
    assert bootstrapped_base.base.config in (caught.value.found or "")
    assert other.config in (caught.value.expected or "")


def test_packages_that_do_not_install_say_why(
    engine: Engine, bootstrapped_base: TestBase, fresh_store: Store, tmp_path: Path
) -> None:
    control = (
        "Package: aaa\nVersion: 1\nArchitecture: all\nMaintainer: nobody <a@example.org>\n"
        "Description: broken\n"
    )
    scripts = [("preinst", "#!/bin/sh\necho no luck today >&2\nexit 3\n")]
    deb = make_deb(tmp_path / "aaa.deb", [], control=control, scripts=scripts)
    broken = DebianPackage(
        source="debian", file="pool/aaa_1_all.deb", size=deb.stat().st_size,
        sha256=fresh_store.put_file(deb), name="aaa", version="1", architecture="all",
        reason="test",
    )  # fmt: skip
    with pytest.raises(BuildError, match="do not install") as caught:
        make_base(
            SUITE,
            (*bootstrapped_base.base.packages, broken),
            bootstrapped_base.architecture,
            engine=engine,
            store=fresh_store,
            report=SILENT,
        )
    assert "no luck today" in caught.value.details
    assert caught.value.hint
