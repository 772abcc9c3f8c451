"""What ``freeze lock`` and ``freeze update`` print, word for word, and their documents."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from freezer.flows.lock.lock import LockResult
from freezer.flows.project.environment import Locked
from freezer.flows.project.image_runtime import installed_runtime
from freezer.flows.update.limits import Limit
from freezer.flows.update.moves import Move
from freezer.flows.update.update import UpdateResult
from freezer.model.lock import Accelerator, BootstrapBase, Component, Lock, Newer, StepFile, Steps
from freezer.output.lock import lock as lock_output
from freezer.output.lock import update as update_output
from tests.support.project.locks import make_lock, sha

PROJECT = Path("/home/project")
ID = sha("a")


def locked(**changes: Any) -> Locked:
    return Locked(make_lock(**changes), ID, PROJECT / "lockfiles" / "demo")


def printed(show: Any, *arguments: Any) -> list[str]:
    stream = io.StringIO()
    show(*arguments, Console(file=stream, width=200))
    return stream.getvalue().splitlines()


def result(*changes: str, first: bool = False, **lock: Any) -> LockResult:
    return LockResult(locked(**lock), first or bool(changes), first, changes)


def rows(**lock: Any) -> dict[str, str]:
    """Return what a first lock says, by its first word."""
    shown = printed(lock_output.show, result(first=True, **lock), PROJECT)
    found = [line.strip().partition("  ") for line in shown]
    return {name: text.strip() for name, _, text in found}


def test_a_first_lock_says_what_it_is_for_and_how_much_it_holds() -> None:
    shown = rows()
    assert shown["base"] == f"debian:bookworm-slim@sha256:{sha('3')}"
    assert shown["target"] == "debian 12, glibc 2.36, Python 3.11.2, x86_64"
    assert shown["debian"] == "1 package, 116.0 kB"
    assert shown["pip"] == "1 package, 16.9 MB"
    assert shown["as of"] == "2026-11-01T00:00:00Z"
    assert "conda" not in shown
    last = printed(lock_output.show, result(first=True), PROJECT)[-1]
    assert last == f"demo: lock {sha('a')[:12]} in lockfiles/demo/freeze.lock.yaml"


def test_a_lock_outside_the_project_is_named_whole() -> None:
    last = printed(lock_output.show, result(first=True), Path("/elsewhere"))[-1]
    assert last.endswith(" in /home/project/lockfiles/demo/freeze.lock.yaml")


def test_a_first_lock_names_what_was_chosen_beyond_packages() -> None:
    shown = rows(
        accelerator=Accelerator(cuda="12.4", cudnn="9", driver=">=550"),
        steps=Steps(
            run=("make", "make install"),
            files=(StepFile(path="words.txt", size=3, sha256=sha("9"), executable=False),),
        ),
        components=(
            Component(role="libc", name="glibc", version="2.36-9", provider="base"),
            Component(role="blas", name="OpenBLAS", version="0.3.30", provider="pip:numpy"),
            Component(role="blas", name="OpenBLAS", version="0.3.30", provider="pip:numpy"),
            Component(role="blas", name="MKL", version="2026.1", provider="conda:mkl"),
        ),
        exceptions={"torch": Newer(as_of="2026-11-20T00:00:00Z", reason="the fix of 41")},
    )
    assert shown["accelerator"] == "CUDA 12.4, cuDNN 9, driver >=550"
    assert shown["steps"] == "2 commands with 1 file, run above all packages"
    assert shown["blas"] == "OpenBLAS 0.3.30 (pip:numpy), MKL 2026.1 (conda:mkl)"
    assert shown["newer"] == "torch, up to 2026-11-20T00:00:00Z: the fix of 41"
    assert "libc" not in shown


def test_a_base_made_here_says_of_how_many_packages() -> None:
    made = BootstrapBase(
        suite="bookworm",
        config=f"sha256:{sha('4')}",
        diff_ids=(f"sha256:{sha('5')}",),
        packages=make_lock().debian,
    )
    assert rows(base=made)["base"] == "Debian bookworm, made from 1 package, 116.0 kB"


def test_changes_are_listed_as_they_are_and_those_beyond_forty_counted() -> None:
    changes = [f"a[{number}] 1 to 2" for number in range(42)]
    shown = printed(lock_output.show, result(*changes), PROJECT)
    assert shown[:40] == [f"  {text}" for text in changes[:40]]
    assert shown[40] == "  and 2 more"
    assert len(shown) == 42


def test_a_lock_that_is_there_already_changes_nothing() -> None:
    assert printed(lock_output.show, result(), PROJECT) == [
        f"demo: nothing changed, lock {sha('a')[:12]}"
    ]


def test_a_check_says_where_the_runtime_is_another() -> None:
    (same,) = printed(lock_output.show_checked, locked(inside=installed_runtime()))
    assert same == f"demo: lock {sha('a')[:12]} satisfies the spec"
    first, other = printed(lock_output.show_checked, locked())
    assert first == same
    assert "it can be built" in other


def test_the_document_of_a_lock_has_its_facts() -> None:
    document = lock_output.document(locked(accelerator=Accelerator(cuda="12.4"), blas="openblas"))
    assert document["lock-id"] == ID
    assert document["file"] == "/home/project/lockfiles/demo/freeze.lock.yaml"
    assert document["python"] == "3.11.2"
    assert document["base"] == f"sha256:{sha('4')}"
    assert document["packages"]["debian"] == 1
    assert document["packages"]["pip"] == 1
    assert document["packages"]["conda"] == 0
    assert document["accelerator"]["cuda"] == "12.4"
    assert document["blas"] == "openblas"
    assert document["steps"] is None
    assert document["inside"]["current"] is False


# Updates

NUMPY = Move("pip", "numpy", "1.26.4", "2.1.0", named=True)
SCIPY = Move("pip", "scipy", "1.14", "1.16", named=False, cause="numpy 2.1.0 wants scipy>=1.15")


def update(*moves: Move, written: bool = True, **more: Any) -> UpdateResult:
    lock: Lock = more.pop("lock", make_lock())
    values: dict[str, Any] = {"limits": (), "alone": {}, **more}
    after = Locked(lock, sha("b"), PROJECT) if written else None
    return UpdateResult(locked(), lock, moves, written=after, **values)


def test_an_update_lists_what_is_named_first_and_then_what_that_forces() -> None:
    shown = printed(update_output.show, update(SCIPY, NUMPY))
    assert shown == [
        f"  {NUMPY}",
        "with it:",
        f"  {SCIPY}",
        f"demo: lock {sha('b')[:12]}, as of 2026-11-01T00:00:00Z",
    ]


@pytest.mark.parametrize(
    ("alone", "line"),
    [
        ("2.0.2", "without other changes numpy goes to 2.0.2: `freeze update demo numpy==2.0.2`"),
        ("1.26.4", "without other changes numpy stays at 1.26.4"),
        ("2.1.0", None),
    ],
)
def test_how_far_the_named_package_goes_by_itself(alone: str, line: str | None) -> None:
    shown = printed(update_output.show, update(NUMPY, SCIPY, alone={"numpy": alone}))
    assert [one for one in shown if one.startswith("without other changes")] == (
        [line] if line else []
    )


def test_limits_are_said_of_what_could_be_newer_and_of_what_stayed() -> None:
    shown = printed(
        update_output.show,
        update(
            NUMPY,
            limits=(
                Limit("numpy", "2.1.0", "2.2.0", "app wants numpy<2.2"),
                Limit("pandas", "3.0", None, "the newest"),
            ),
        ),
    )
    assert shown[1:3] == [
        "numpy is at 2.1.0 (2.2.0 is newer): app wants numpy<2.2",
        "pandas is at 3.0: the newest",
    ]
    unlimited = update(NUMPY, limits=(Limit("numpy", "2.1.0", None, "the newest"),))
    assert not any("is at" in line for line in printed(update_output.show, unlimited))


@pytest.mark.parametrize(
    ("done", "ending"),
    [
        (
            update(NUMPY, SCIPY, written=False, refused=True),
            (
                "demo: nothing was written: 1 package more would change than named; "
                "name them as well, or remove --strict"
            ),
        ),
        (update(NUMPY, written=False), "demo: nothing was written: a dry run"),
        (update(written=False), f"demo: nothing changes, lock {sha('a')[:12]}"),
    ],
)
def test_where_nothing_is_written_the_reason_is_said(done: UpdateResult, ending: str) -> None:
    assert printed(update_output.show, done)[-1] == ending


def test_the_document_of_an_update_has_each_move_and_its_cause() -> None:
    document = update_output.document(update(NUMPY, SCIPY, alone={"numpy": "2.0.2"}))
    assert document["lock-id"] == sha("b")
    assert document["written"] is True
    assert document["moves"][1] == {
        "ecosystem": "pip",
        "name": "scipy",
        "from": "1.14",
        "to": "1.16",
        "named": False,
        "cause": "numpy 2.1.0 wants scipy>=1.15",
    }
    assert document["alone"] == {"numpy": "2.0.2"}
    dry = update_output.document(update(NUMPY, written=False))
    assert (dry["lock-id"], dry["written"]) == (ID, False)
