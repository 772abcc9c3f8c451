"""A lock's file: stable bytes, and every way to spoil them is named."""

from __future__ import annotations

import pytest

from freezer.errors import LockError
from freezer.model.lock import Steps
from freezer.model.lockfile import lock_bytes, lock_id, parse_lock
from tests.support.project.locks import make_lock

NAME = "lockfiles/demo/freeze.lock.yaml"


def test_round_trip() -> None:
    lock = make_lock()
    assert parse_lock(lock_bytes(lock), NAME) == lock


def test_same_lock_same_bytes() -> None:
    assert lock_bytes(make_lock()) == lock_bytes(make_lock())
    assert lock_id(lock_bytes(make_lock())) != lock_id(lock_bytes(make_lock(name="other")))


def test_no_float_and_no_empty_value_is_written() -> None:
    assert b"null" not in lock_bytes(make_lock())
    assert b"[]" not in lock_bytes(make_lock())


def test_one_changed_digit_is_noticed() -> None:
    data = lock_bytes(make_lock())
    edited = data.replace(b'version: "2.4.6"', b'version: "2.4.7"')
    assert edited != data
    with pytest.raises(LockError) as caught:
        parse_lock(edited, NAME)
    assert caught.value.code == "lock"
    assert NAME in str(caught.value)
    assert "freeze lock" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"a: [", "not valid YAML"),
        (b"- 1\n", "not a lock"),
        (b"", "not a lock"),
        (b"schema: freezer/lock/99\n", "schema"),
        (b"schema: freezer/lock/1\nx: 1.5\n", "changed by something other"),
        (b"schema: !!python/object/apply:os.system [true]\n", "not valid YAML"),
    ],
)
def test_what_is_not_a_lock_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(LockError, match=message):
        parse_lock(data, NAME)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-13-45", "month must be in 1..12"),
        ("9" * 5000, "4300"),
        ("&a [*a]", "a reference to another value"),
        ("\n  - &b [x, x]\n  - [*b, *b]", "a reference to another value"),
        ("[" * 100_000, "over 32 levels"),
        ("{a: " * 100_000, "over 32 levels"),
        ("\n  " + "- " * 100_000 + "b", "over 32 levels"),
    ],
)
def test_what_a_parser_chokes_on_is_refused_in_words(value: str, found: str) -> None:
    with pytest.raises(LockError, match="not valid YAML") as caught:
        parse_lock(f"schema: freezer/lock/1\nintegrity: x\na: {value}\n".encode(), "lock.yaml")
    assert caught.value.found is not None
    assert found in caught.value.found
    assert caught.value.hint


def test_a_merge_that_was_not_settled_says_the_way_out() -> None:
    data = lock_bytes(make_lock()).replace(
        b'version: "2.4.6"', b'\n<<<<<<< HEAD\n  version: "2.4.6"\n=======\n>>>>>>> side', 1
    )
    with pytest.raises(LockError, match="conflict markers") as caught:
        parse_lock(data, NAME)
    line = caught.value.where.line
    assert data.splitlines()[line - 1].startswith(b"<<<<<<<")
    assert "freeze log --join" in (caught.value.hint or "")


def test_any_changed_byte_is_noticed() -> None:
    data = lock_bytes(make_lock(steps=Steps(run=("make",))))
    for position in range(0, len(data), 3):
        edited = bytearray(data)
        edited[position] ^= 1 << position % 8
        with pytest.raises(LockError):
            parse_lock(bytes(edited), NAME)


def test_reordered_but_equal_content_is_not_canonical() -> None:
    data = lock_bytes(make_lock())
    with pytest.raises(LockError, match="canonical"):
        parse_lock(data + b"\n", NAME)


def test_lines_that_git_ended_as_on_windows_are_named() -> None:
    with pytest.raises(LockError, match="canonical") as caught:
        parse_lock(lock_bytes(make_lock()).replace(b"\n", b"\r\n"), NAME)
    assert "CR LF" in (caught.value.found or "")
    assert "core.autocrlf" in (caught.value.hint or "")
