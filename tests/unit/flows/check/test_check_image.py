"""Checks on a host that has an image and no project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freezer.check.reference import read_reference, write_reference
from freezer.errors import (
    CheckError,
    LockError,
)
from freezer.flows.project.image_reference import is_image
from freezer.flows.registry.pull import pulled_references
from freezer.model.lockfile import lock_bytes, lock_id
from freezer.model.record.verdict import Word
from tests.support.host.fake_engine import archive
from tests.support.host.hosts import (
    BASE,
    CLASS,
    CONFIG,
    ID,
    LIGHT,
    LOCK,
    SYSTEM,
    Host,
    reference,
    refused,
)
from tests.support.project.locks import make_lock
from tests.support.project.records import lines, record
from tests.support.registry.memory_registry import MemoryRegistry
from tests.support.registry.registries import Answer, make_config, sha


@pytest.mark.parametrize(
    ("name", "image"),
    [
        (None, False), ("demo", False), ("my-env_2.1", False), ("sha256:0123", True),
        ("a/b", True), ("demo:v1", True), ("demo@sha256:0", True),
    ],
)  # fmt: skip
def test_what_is_an_image_and_what_an_environment(name: str | None, image: bool) -> None:
    assert is_image(name) is image


def test_a_check_by_digest_needs_nothing_but_the_name(home: Host, away: Host) -> None:
    name = home.push().name
    done = away.check(name)
    assert (done.verdict.word, done.image, done.lock_id) == (Word.IDENTICAL, sha(CONFIG), ID)
    assert "team/demo" in (done.reference or "")
    assert all(options.network == "none" and options.read_only for options in away.held.runs)


def test_what_was_pulled_is_checked_without_the_registry(
    home: Host, away: Host, registry: MemoryRegistry
) -> None:
    name = home.push().name
    away.pull(name)
    registry.instead["GET", "referrers"] = [Answer(b"{}", 503)] * 99
    assert away.check(name).verdict.word is Word.IDENTICAL
    assert "the registry was not asked" in away.ear.notes[0]
    for other in (sha(CONFIG), f"{away.address}/team/demo:{ID[:12]}"):
        done = away.check(other)
        assert done.verdict.word is Word.IDENTICAL
        assert "freeze pull" in (done.reference or "")


def test_what_the_engine_pulled_is_found_in_its_registry(home: Host, away: Host) -> None:
    name = home.push().name
    away.held.make(CONFIG, BASE, SYSTEM, LIGHT)
    away.held.repo_digests[name] = sha(CONFIG)
    assert away.check(sha(CONFIG)).verdict.word is Word.IDENTICAL
    assert away.held.given == []


def test_drift_is_drift(home: Host, away: Host) -> None:
    name = home.push().name
    away.held.told[1:] = lines(loss=0.25)
    assert away.check(name).verdict.word is Word.DRIFTED


def test_nothing_is_recorded(home: Host, away: Host) -> None:
    away.check(home.push().name)
    assert list(away.opened.root.iterdir()) == []


def test_without_a_reference_of_this_class_it_is_not_comparable(home: Host, away: Host) -> None:
    (home.references / "references" / f"{CLASS}.json").unlink()
    write_reference(home.references, reference(**{"class": "armv8-neoverse"}))
    verdict = away.check(home.push().name).verdict
    assert verdict.word is Word.NOT_COMPARABLE
    reason = verdict.trainings[0].reason or ""
    assert CLASS in reason
    assert "only of armv8-neoverse" in reason


def test_a_training_that_fails_has_failed_without_a_reference_too(away: Host) -> None:
    away.held.make(CONFIG, BASE, SYSTEM, LIGHT)
    away.held.told[1:] = lines(end=False)
    assert away.check(sha(CONFIG)).verdict.word is Word.FAILED


def test_a_reference_in_a_file_goes_before_all_others(
    home: Host, away: Host, tmp_path: Path
) -> None:
    name = home.push().name
    file = write_reference(tmp_path, reference(lines(loss=0.25)))
    done = away.check(name, file)
    assert (done.verdict.word, done.reference) == (Word.DRIFTED, str(file))


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"lock_id": "7" * 64}, "of lock 777777777777"), ({"class": "armv8-neoverse"}, "armv8-neo")],
)
def test_a_file_of_something_else_is_not_comparable(
    away: Host, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    away.held.make(CONFIG, BASE, SYSTEM, LIGHT)
    other = reference(**changed) if "class" in changed else record().model_copy(update=changed)
    verdict = away.check(sha(CONFIG), write_reference(tmp_path, other)).verdict
    assert verdict.word is Word.NOT_COMPARABLE
    assert said in (verdict.trainings[0].reason or "")


def test_a_file_that_is_not_there_is_named_before_anything_runs(away: Host, tmp_path: Path) -> None:
    work = lambda: away.check(sha(CONFIG), tmp_path / "none.json")  # noqa: E731
    refused(work, CheckError, "none.json")
    assert away.held.runs == []


def test_an_image_that_is_not_there_is_named(away: Host) -> None:
    refused(lambda: away.check("demo:v1"), CheckError, "no image demo:v1", "freeze pull")


def test_an_image_without_a_label_is_not_run(away: Host) -> None:
    image = away.held.make(make_config([BASE]), BASE)
    refused(lambda: away.check(image.id), CheckError, "not the image of a lock")
    assert away.held.runs == []


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        (LOCK + b"\n", "not the one that its label names"),
        (lock_bytes(make_lock(name="other")), "not the one that its label names"),
        (b"", "not the one that its label names"),
    ],
)
def test_a_lock_that_is_not_the_labels_is_not_run(away: Host, lock: bytes, said: str) -> None:
    away.held.make(CONFIG, BASE, SYSTEM, LIGHT)
    away.held.files[sha(CONFIG)] = lock
    refused(lambda: away.check(sha(CONFIG)), LockError, said)
    assert len(away.held.runs) == 1


def test_a_label_of_something_that_is_no_lock_is_no_help(away: Host) -> None:
    config = make_config([BASE], Labels={"org.freezer.lock-id": lock_id(b"evil: true")})
    away.held.files[away.held.make(config, BASE).id] = b"evil: true"
    refused(lambda: away.check(sha(config)), LockError, "schema")


@pytest.mark.parametrize("found", [b"", b"no archive", archive("x", b"")[:100]])
def test_a_lock_that_is_no_file_is_refused(
    away: Host, monkeypatch: pytest.MonkeyPatch, found: bytes
) -> None:
    away.held.make(CONFIG, BASE, SYSTEM, LIGHT)
    monkeypatch.setattr("tests.support.host.fake_engine.archive", lambda *_: found)
    refused(lambda: away.check(sha(CONFIG)), LockError, "is not a file")


def test_the_lock_is_fetched_with_a_limit(home: Host, away: Host) -> None:
    away.check(home.push().name)
    assert away.held.runs[0].fetch_limit == 64 << 20


def test_what_was_recorded_at_home_is_what_is_read_away(home: Host, away: Host) -> None:
    away.pull(home.push().name)
    [kept] = (home.references / "references").iterdir()
    path = pulled_references(away.opened, sha(CONFIG))[CLASS]
    assert read_reference(path, "x") == read_reference(kept, "y")


def with_volumes(away: Host, *volumes: str) -> str:
    """Put an image into the engine that declares volumes; return its ID."""
    labels = json.loads(CONFIG)["config"]["Labels"]
    layers = (BASE, SYSTEM, LIGHT)
    config = make_config(layers, Labels=labels, Volumes={path: {} for path in volumes})
    away.held.files[sha(config)] = LOCK
    return away.held.make(config, *layers).id


def test_volumes_of_an_image_are_said_to_be_covered(away: Host, tmp_path: Path) -> None:
    file = write_reference(tmp_path, reference())
    assert away.check(with_volumes(away, "/data", "/srv"), file).verdict.word is Word.IDENTICAL
    [warning] = [line for line in away.ear.warnings if "volume" in line]
    assert "empty and read-only" in warning
    assert warning.endswith("/data, /srv")


@pytest.mark.parametrize("volume", ["/opt/env", "/opt", "/opt/env/lib", "/opt/freezer/smoke", "/"])
def test_a_volume_over_what_is_checked_is_refused(away: Host, volume: str) -> None:
    work = lambda: away.check(with_volumes(away, volume))  # noqa: E731
    refused(work, CheckError, volume)
    assert away.held.runs == []
