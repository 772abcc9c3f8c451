from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from freezer.errors import IntegrityError
from freezer.image.debian.root import is_left_out, write_root
from freezer.image.tar.canonical import CanonicalLayer
from tests.support.debian.debs import folder, link, make_deb, member

EPOCH = 1_600_000_000


class Made:
    def __init__(self, layer: CanonicalLayer, data: bytes) -> None:
        self.layer = layer
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            self.order = archive.getnames()
            self.members = {info.name: info for info in archive}


def make(tmp_path: Path, *packages: list[object], architecture: str = "x86_64") -> Made:
    target = io.BytesIO()
    debs = [
        (f"p{index}.deb", make_deb(tmp_path / f"p{index}.deb", members))
        for index, members in enumerate(packages)
    ]
    layer = write_root(target, debs, architecture, EPOCH)
    return Made(layer, target.getvalue())


def test_usr_is_merged_from_the_start(tmp_path: Path) -> None:
    made = make(tmp_path, [folder("./"), folder("./bin"), member("./bin/dash", b"x", mode=0o755)])
    assert made.members["bin"].linkname == "usr/bin"
    assert made.members["usr/bin/dash"].mode == 0o755
    assert "bin/dash" not in made.members
    assert made.order.index("usr/bin") < made.order.index("bin")


def test_lib64_is_a_link_only_where_the_architecture_has_one(tmp_path: Path) -> None:
    assert make(tmp_path, []).members["lib64"].issym()
    assert "lib64" not in make(tmp_path, [], architecture="aarch64").members


def test_packages_that_bring_the_merged_links_themselves_change_nothing(tmp_path: Path) -> None:
    made = make(tmp_path, [link("./bin", "usr/bin"), folder("./usr"), folder("./usr/bin")])
    assert made.order.count("bin") == 1
    assert made.order.count("usr/bin") == 1


def test_folders_that_packages_share_are_written_once_and_keep_their_owner(tmp_path: Path) -> None:
    made = make(
        tmp_path,
        [folder("./var"), folder("./var/mail", gid=8)],
        [folder("./var"), folder("./var/mail"), member("./var/mail/a", b"1")],
    )
    assert made.order.count("var/mail") == 1
    assert made.members["var/mail"].gid == 8


def test_what_no_training_reads_is_left_out_and_licences_stay(tmp_path: Path) -> None:
    made = make(
        tmp_path,
        [
            folder("./usr/share/doc"),
            folder("./usr/share/doc/x"),
            member("./usr/share/doc/x/README", b"1"),
            member("./usr/share/doc/x/copyright", b"1"),
            folder("./usr/share/man/man1"),
            member("./usr/share/man/man1/x.1.gz", b"1"),
        ],
    )
    assert "usr/share/doc/x/README" not in made.members
    assert "usr/share/man/man1/x.1.gz" not in made.members
    assert made.members["usr/share/man/man1"].isdir()
    assert made.order.index("usr/share/doc/x") < made.order.index("usr/share/doc/x/copyright")


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("usr/share/doc/a/b/c", True),
        ("usr/share/doc/a/copyright", False),
        ("usr/share/man/man1", False),
        ("usr/share/man/de/man1/x.1", True),
        ("usr/share/locale/de/LC_MESSAGES/x.mo", True),
        ("usr/share/locale/locale.alias", False),
        ("usr/share/documents", False),
        ("etc/passwd", False),
    ],
)
def test_patterns_mean_what_dpkg_takes_them_for(path: str, left_out: bool) -> None:
    assert is_left_out(path) is left_out


def test_dpkg_finds_an_empty_database_and_a_shell(tmp_path: Path) -> None:
    made = make(tmp_path, [])
    for name in ("status", "available"):
        assert made.members[f"var/lib/dpkg/{name}"].size == 0
    assert made.members["usr/bin/sh"].linkname == "dash"


def test_a_shell_that_a_package_brings_is_kept(tmp_path: Path) -> None:
    made = make(tmp_path, [link("./bin/sh", "bash")])
    assert made.members["usr/bin/sh"].linkname == "bash"
    assert made.order.count("usr/bin/sh") == 1


def test_hard_links_follow_the_merge(tmp_path: Path) -> None:
    made = make(
        tmp_path,
        [
            member("./bin/gunzip", b"x"),
            member("./bin/uncompress", type=tarfile.LNKTYPE, linkname="./bin/gunzip"),
        ],
    )
    assert made.members["usr/bin/uncompress"].islnk()
    assert made.members["usr/bin/uncompress"].linkname == "usr/bin/gunzip"


def test_equal_packages_give_equal_bytes(tmp_path: Path) -> None:
    first = make(tmp_path, [member("./etc/a", b"1", mtime=1)])
    second = make(tmp_path, [member("./etc/a", b"1", mtime=2)])
    assert first.layer == second.layer
    assert {info.mtime for info in first.members.values()} == {EPOCH}


@pytest.mark.parametrize(
    ("hostile", "said"),
    [
        (member("./../etc/passwd", b"x"), "leads out of it"),
        (member("./dev/sda", type=tarfile.BLKTYPE), "a device, socket or pipe"),
        (member("./dev/null", type=tarfile.CHRTYPE), "a device, socket or pipe"),
        (member("./run/pipe", type=tarfile.FIFOTYPE), "a device, socket or pipe"),
        (member("./etc/.wh.passwd", b""), "a whiteout"),
        (member("./a", type=tarfile.LNKTYPE, linkname="./nowhere"), "which is not there"),
        (member("./a", type=tarfile.LNKTYPE, linkname="../../etc/shadow"), "leads out of it"),
    ],
)
def test_hostile_members_are_refused(tmp_path: Path, hostile: object, said: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        make(tmp_path, [hostile])
    assert said in str(caught.value)
