from __future__ import annotations

from typing import Any

import pytest

from freezer.errors import ResolveError
from freezer.model.lock import DebianPackage, PythonTarget
from freezer.resolve.base.probe import BaseFacts
from freezer.resolve.base.target import choose_python, python_packages, target

OWN = PythonTarget(version="3.12.4", abi="cp312", executable="/usr/local/bin/python3.12")
OLDER = PythonTarget(version="3.12.1", abi="cp312", executable="/usr/bin/python3.12")


def facts(**changes: Any) -> BaseFacts:
    values: dict[str, Any] = {
        "architecture": "x86_64",
        "glibc": "2.36",
        "distribution": "debian 12",
        "has_apt": True,
        "has_dpkg": True,
    }
    return BaseFacts(**{**values, **changes})


def deb(name: str, version: str) -> DebianPackage:
    return DebianPackage(
        source="debian", file=f"pool/{name}.deb", size=1, sha256="a" * 64, name=name,
        version=version, architecture="amd64", reason="test",
    )  # fmt: skip


def test_the_first_python_on_the_path_is_chosen() -> None:
    assert choose_python("3.12", facts(pythons=(OWN, OLDER))) == OWN


def test_another_minor_version_is_no_match() -> None:
    assert choose_python("3.1", facts(pythons=(OWN,))) is None


def test_debian_brings_its_own_python() -> None:
    assert python_packages("3.11", facts()) == ("python3.11",)


def test_a_distribution_that_nobody_knows_is_left_to_apt() -> None:
    assert python_packages("3.12", facts(distribution="mint 22")) == ("python3.12",)


def test_a_base_with_foreign_archives_may_offer_any_python() -> None:
    own = ("/etc/apt/sources.list.d/debian.sources", "")
    extra = ("/etc/apt/sources.list.d/team.list", "")
    assert python_packages("3.12", facts(apt_sources=(own, extra))) == ("python3.12",)
    with pytest.raises(ResolveError):
        python_packages("3.12", facts(apt_sources=(own,)))


def test_the_refusal_names_what_there_is_and_the_ways_out() -> None:
    with pytest.raises(ResolveError, match=r"no Python 3\.13") as caught:
        python_packages("3.13", facts(pythons=(OWN,)))
    assert caught.value.found == "debian 12 with Python 3.12.4; its archive offers 3.11"
    hint = caught.value.hint or ""
    assert "`python: '3.11'`" in hint
    assert "python:3.13-slim" in hint
    assert "{bootstrap: trixie}" in hint


def test_a_base_without_apt_can_be_given_nothing() -> None:
    with pytest.raises(ResolveError) as caught:
        python_packages("3.11", facts(has_apt=False, distribution="fedora 41"))
    assert caught.value.found == "fedora 41 with no Python, and without apt"
    assert caught.value.hint == (
        "use a base that has it, such as python:3.11-slim or `base: {bootstrap: bookworm}`"
    )


def test_the_target_of_a_bases_own_python() -> None:
    found = target(facts(), OWN, [])
    assert (found.python, found.glibc, found.distribution) == (OWN, "2.36", "debian 12")
    assert found.architecture == "x86_64"


def test_the_target_of_a_python_from_debian() -> None:
    packages = [deb("python3.11-minimal", "3.11.1-1"), deb("python3.11", "3.11.2-6+deb12u6")]
    assert target(facts(), "3.11", packages).python == PythonTarget(
        version="3.11.2", abi="cp311", executable="/usr/bin/python3.11"
    )


def test_a_newer_libc_among_the_packages_counts() -> None:
    assert target(facts(), OWN, [deb("libc6", "2.41-12")]).glibc == "2.41"


def test_packages_without_the_python_are_refused() -> None:
    with pytest.raises(ResolveError, match=r"no Python 3\.11"):
        target(facts(), "3.11", [deb("libgomp1", "12")])
