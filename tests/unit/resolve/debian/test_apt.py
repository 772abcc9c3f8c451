"""How apt is asked, and how its answers and refusals are read; apt itself is not needed here."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from freezer.engine.interface import RunOptions, RunResult
from freezer.errors import FreezerError, IntegrityError, ResolveError
from freezer.fetch.debian.packages_index import Index
from freezer.resolve.debian.apt import (
    HERE,
    Chosen,
    InstallPlan,
    parse_plan,
    simulate_install,
    upload,
)

INDEX = Index(
    source="debian",
    suite="bookworm",
    component="main",
    root="https://user:secret@mirror.example.org/debian",
    date="2026-07-11T10:16:37Z",
    inrelease=b"signed",
    release_signed=True,
    unpack=lambda: b"Package: a\n",
    packages_path="main/binary-amd64/Packages.xz",
    packed=b"packed",
    packed_sha256="0" * 64,
    signed_by="/usr/share/keyrings/a.gpg /usr/share/keyrings/b.gpg",
)
SIMULATED = """\
Reading package lists...
The following NEW packages will be installed:
  jq libjq1
Remv usrmerge [37~deb12u1]
Inst libonig5 (6.9.8-1 Debian:12.15/oldstable [amd64])
Inst liblzma5 [5.4.1-1] (5.4.1-1+deb12u2 Debian-Security:12/oldstable-security [amd64]) [tar:amd64 ]
Inst tzdata (2026f-0 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [all]) []
Inst libfoo:i386 (1:2.0~b1 Test Things:1.0/now it [i386])
Conf libonig5 (6.9.8-1 Debian:12.15/oldstable [amd64])
"""


class OneAnswer:
    """An engine that gives one answer and remembers what it was asked."""

    def __init__(self, code: int, out: str = "", err: str = "", *, timed_out: bool = False) -> None:
        self.result = RunResult(code, out.encode(), err.encode(), timed_out, False, 1.0)
        self.asked: list[tuple[Sequence[str], RunOptions, bytes]] = []

    def run(self, image: str, command: Sequence[str], options: RunOptions, *, files: bytes) -> Any:
        self.asked.append((command, options, files))
        return self.result


def files(tar: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}  # type: ignore[union-attr]


def refusal(kind: type[FreezerError], engine: OneAnswer) -> FreezerError:
    with pytest.raises(kind) as caught:
        simulate_install(engine, "base:1", [INDEX], ["jq"], {})  # type: ignore[arg-type]
    return caught.value


def test_a_simulation_is_read() -> None:
    assert parse_plan(SIMULATED) == InstallPlan(
        installed=(
            Chosen("libonig5", "6.9.8-1", "amd64", None),
            Chosen("liblzma5", "5.4.1-1+deb12u2", "amd64", "5.4.1-1"),
            Chosen("tzdata", "2026f-0", "all", None),
            Chosen("libfoo", "1:2.0~b1", "i386", None),
        ),
        removed=("usrmerge",),
    )


def test_nothing_to_do() -> None:
    assert parse_plan("Reading package lists...\njq is already the newest version\n") == (
        InstallPlan((), ())
    )


@pytest.mark.parametrize("line", ["Inst jq", "Inst jq (1.6", "Remv x"])
def test_a_line_of_another_form_is_not_passed_over(line: str) -> None:
    with pytest.raises(ResolveError) as caught:
        parse_plan(f"{line}\n")
    assert caught.value.found == line


def test_the_container_is_confined_and_the_packages_cannot_be_options() -> None:
    engine = OneAnswer(0, SIMULATED)
    simulate_install(engine, "base:1", [INDEX], ["jq=1.6", "g++"], {})  # type: ignore[arg-type]
    ((command, options, _),) = engine.asked
    assert command[-2:] == ["jq=1.6", "g++"]
    assert command[-3] == HERE
    assert 'install -- "$@"' in command[2]
    assert (options.network, options.drop_capabilities, options.user) == ("none", True, "0:0")


def test_indices_are_laid_out_as_an_archive() -> None:
    updates = replace(INDEX, suite="bookworm-updates", inrelease=b"other")
    contrib = replace(INDEX, component="contrib", packages_path="contrib/binary-amd64/Packages.gz")
    found = files(upload([INDEX, updates, contrib], {}))
    archive = "freezer-apt/0/dists/bookworm"
    assert found[f"{archive}/InRelease"] == b"signed"
    assert found[f"{archive}/main/binary-amd64/Packages.xz"] == b"packed"
    assert found[f"{archive}/contrib/binary-amd64/Packages.gz"] == b"packed"
    assert found["freezer-apt/1/dists/bookworm-updates/InRelease"] == b"other"
    assert found["freezer-apt/sources.d/000.sources"].decode() == (
        "Types: deb\nURIs: file:/freezer-apt/0\nSuites: bookworm\nComponents: main contrib\n"
        "Signed-By: /usr/share/keyrings/a.gpg /usr/share/keyrings/b.gpg\n"
    )
    assert b"Check-Valid-Until" in found["freezer-apt/apt.conf"]


def test_addresses_and_credentials_stay_on_the_host() -> None:
    assert b"example.org" not in upload([INDEX], {"a": "1"})


def test_a_flat_archive_with_a_key_of_its_own() -> None:
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n.\nmQIN\n-----END PGP PUBLIC KEY BLOCK-----"
    flat = replace(INDEX, suite="/", component="", packages_path="Packages.gz", signed_by=key)
    found = files(upload([flat], {}))
    assert found["freezer-apt/0/./InRelease"] == b"signed"
    assert found["freezer-apt/keys/0.asc"] == key.replace("\n.\n", "\n\n").encode() + b"\n"
    assert found["freezer-apt/sources.d/000.sources"].decode() == (
        "Types: deb\nURIs: file:/freezer-apt/0\nSuites: /\nSigned-By: /freezer-apt/keys/0.asc\n"
    )


def test_versions_to_keep_become_pins_that_never_downgrade() -> None:
    pins = files(upload([INDEX], {"b": "2", "a": "1:1.0"}))["freezer-apt/pins"].decode()
    assert pins.split("\n\n")[0] == "Package: a\nPin: version 1:1.0\nPin-Priority: 995"
    assert files(upload([INDEX], {}))["freezer-apt/pins"] == b""


def test_a_base_without_apt() -> None:
    error = refusal(ResolveError, OneAnswer(41))
    assert "base:1 has no apt" in error.what
    assert "Debian or Ubuntu" in (error.hint or "")


def test_an_archive_that_apt_does_not_trust_is_named_as_locks_name_it() -> None:
    said = (
        "W: GPG error: file:/freezer-apt/0 bookworm InRelease: NO_PUBKEY 6ED0E7B82643E131\n"
        "E: The repository 'file:/freezer-apt/0 bookworm InRelease' is not signed.\n"
        "N: Updating from such a repository can't be done securely\n"
    )
    error = refusal(IntegrityError, OneAnswer(42, err=said))
    assert error.details == (
        "GPG error: debian bookworm InRelease: NO_PUBKEY 6ED0E7B82643E131",
        "The repository 'debian bookworm InRelease' is not signed.",
    )
    assert "keyring" in (error.hint or "")


def test_a_conflict_is_told_in_apts_words() -> None:
    out = (
        "Reading package lists...\nSome packages could not be installed.\n"
        "The following packages have unmet dependencies:\n"
        " a : Depends: b (>= 2) but 1 is to be installed\n     Depends: c\n"
    )
    err = "E: Unable to correct problems, you have held broken packages.\n"
    error = refusal(ResolveError, OneAnswer(100, out, err))
    assert error.details == (
        "a : Depends: b (>= 2) but 1 is to be installed",
        "Depends: c",
        "Unable to correct problems, you have held broken packages.",
    )


def test_apt_without_words_and_apt_without_end() -> None:
    assert refusal(ResolveError, OneAnswer(100, "one\ntwo\n")).details[-1] == "two"
    assert "300 seconds" in refusal(ResolveError, OneAnswer(137, timed_out=True)).what
