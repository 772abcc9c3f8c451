"""Locks in between: what is one change, and what a lock with some of the changes holds."""

from __future__ import annotations

from freezer.history.between import between, changes_between
from freezer.model.lock import DebianPackage, Lock, PipPackage
from tests.support.project.locks import make_lock, sha


def pip(name: str, version: str, *requires: str) -> PipPackage:
    return PipPackage(
        source="pypi", file=f"{name}-{version}-py3-none-any.whl", size=1,
        sha256=(f"{ord(name[0]):02x}{int(float(version)):02x}" * 16), name=name, version=version,
        requires=requires, requested=True, reason="requested",
    )  # fmt: skip


def deb(name: str, digit: str, reason: str = "requested") -> DebianPackage:
    return DebianPackage(
        source="debian", file=f"pool/{name}_{digit}_amd64.deb", size=1, sha256=sha(digit),
        name=name, version=digit, architecture="amd64", reason=reason,
    )  # fmt: skip


def titles(old: Lock, new: Lock) -> list[str]:
    return [one.title for one in changes_between(old, new)]


def test_each_package_is_a_change_and_a_new_one_goes_with_what_needs_it() -> None:
    old = make_lock(pip=(pip("a", "1.0"), pip("b", "1.0"), pip("d", "1.0")), debian=())
    new = make_lock(
        pip=(pip("a", "2.0", "c"), pip("b", "2.0"), pip("c", "1.0"), pip("d", "1.0")), debian=()
    )
    assert titles(old, new) == ["a 1.0 to 2.0 and 1 more with it", "b 1.0 to 2.0"]
    first, second = changes_between(old, new)
    with_a = between(old, new, [first])
    assert [(one.name, one.version) for one in with_a.pip] == [
        ("a", "2.0"), ("b", "1.0"), ("c", "1.0"), ("d", "1.0"),
    ]  # fmt: skip
    assert between(old, new, []) == old
    assert between(old, new, [first, second]).pip == new.pip


def test_what_is_gone_goes_with_what_needed_it() -> None:
    old = make_lock(debian=(deb("x", "1"), deb("y", "2", "needed by x; why: so")), pip=())
    new = make_lock(debian=(deb("x", "3"),), pip=())
    (only,) = changes_between(old, new)
    assert only.title == "Debian package x 1 to 3 and 1 more with it"
    assert between(old, new, [only]).debian == new.debian


def test_settings_and_the_base_are_changes_too() -> None:
    old = make_lock()
    new = make_lock(
        base=old.base.model_copy(update={"config": f"sha256:{sha('9')}"}),
        environment={"PYTHONHASHSEED": "1"},
        as_of="2026-11-02T00:00:00Z",
    )
    assert titles(old, new) == ["the base", "variables of the image", "the image's clock"]
    assert between(old, new, changes_between(old, new)) == new


def test_another_python_is_one_change_with_all_that_brings_it() -> None:
    python = make_lock().target.python.model_copy(update={"version": "3.11.9"})
    target = make_lock().target.model_copy(update={"python": python})
    old = make_lock(debian=(deb("gcc", "1"), deb("libpython3.11", "2"), deb("python3.11", "3")))
    new = make_lock(
        debian=(deb("gcc", "4"), deb("libpython3.11", "5"), deb("python3.11", "6")), target=target
    )
    assert titles(old, new) == ["Python 3.11.2 to 3.11.9", "Debian package gcc 1 to 4"]
    assert between(old, new, changes_between(old, new)[:1]).target == target


def test_reasons_alone_are_no_change() -> None:
    old = make_lock()
    said = tuple(one.model_copy(update={"reason": "asked for elsewhere"}) for one in old.pip)
    assert changes_between(old, make_lock(pip=said)) == ()
