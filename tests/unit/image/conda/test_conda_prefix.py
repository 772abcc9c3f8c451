"""Moving files to the environment's prefix: text of any length, binaries of the same length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.image.conda.prefix import LONGEST_SHEBANG, in_binary, in_text
from tests.support.conda.channel_files import PLACEHOLDER, File
from tests.support.conda.condapackages import Shop, made

OLD, NEW = "/opt/build_env", "/opt/env"
WIDE = ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]


def test_every_occurrence_in_a_text() -> None:
    text = f"a={OLD}/lib:{OLD}/lib64\nb={OLD}\n".encode()
    assert in_text(text, OLD, NEW) == b"a=/opt/env/lib:/opt/env/lib64\nb=/opt/env\n"


@pytest.mark.parametrize("encoding", WIDE)
def test_wide_text(encoding: str) -> None:
    assert in_text(f"x {OLD}/lib".encode(encoding), OLD, NEW) == f"x {NEW}/lib".encode(encoding)


def test_a_first_line_that_linux_can_run_stays() -> None:
    text = f"#!{OLD}/bin/python -E\nprint('{OLD}')\n".encode()
    assert in_text(text, OLD, NEW) == b"#!/opt/env/bin/python -E\nprint('/opt/env')\n"


LONG = "/opt/" + "x" * LONGEST_SHEBANG


@pytest.mark.parametrize(
    ("line", "runnable"),
    [
        (
            "/bin/python3.11 -E",
            f"#!/bin/sh\n'''exec' \"{LONG}/bin/python3.11\" -E \"$0\" \"$@\" #'''",
        ),
        ("/bin/perl -w", "#!/usr/bin/env perl -w"),
        ("/bin/pythonic", "#!/usr/bin/env pythonic"),
    ],
)
def test_a_first_line_that_is_too_long_is_gone_around(line: str, runnable: str) -> None:
    found = in_text(f"#!{OLD}{line}\nrest {OLD}\n".encode(), OLD, LONG)
    assert found == f"{runnable}\nrest {LONG}\n".encode()


def test_the_longest_first_line() -> None:
    fits = "/" + "x" * (LONGEST_SHEBANG - len("#!//bin/sh"))
    assert in_text(f"#!{OLD}/bin/sh".encode(), OLD, fits) == f"#!{fits}/bin/sh".encode()
    assert in_text(f"#!{OLD}/bin/sh".encode(), OLD, fits + "x") == b"#!/usr/bin/env sh"


def test_a_binary_keeps_its_length_and_its_other_strings() -> None:
    data = f"\x7fELF\0{OLD}/lib:{OLD}/share\0after\0".encode()
    found = in_binary(data, OLD, NEW)
    gap = 2 * (len(OLD) - len(NEW))
    assert found == f"\x7fELF\0{NEW}/lib:{NEW}/share".encode() + bytes(gap) + b"\0after\0"


def test_a_string_that_the_end_of_the_file_ends() -> None:
    assert in_binary(f"\0{OLD}/x".encode(), OLD, NEW) == b"\0/opt/env/x" + bytes(6)


@pytest.mark.parametrize("encoding", WIDE)
def test_wide_strings_of_a_binary(encoding: str) -> None:
    unit = len("x".encode(encoding))
    zero, after = bytes(unit), "after".encode(encoding)
    data = bytes(4) + f"{OLD}/lib".encode(encoding) + zero + after + zero
    found = in_binary(data, OLD, NEW)
    gap = bytes(unit * (len(OLD) - len(NEW)))
    assert found == bytes(4) + f"{NEW}/lib".encode(encoding) + gap + zero + after + zero


def test_a_longer_prefix_does_not_fit_a_binary() -> None:
    with pytest.raises(ValueError, match="longer"):
        in_binary(b"", NEW, OLD)


@given(st.lists(st.sampled_from([OLD, "/lib", "\0", "x", "\0\0"]), max_size=12))
def test_a_binary_never_changes_its_length_nor_keeps_the_placeholder(parts: list[str]) -> None:
    data = "".join(parts).encode()
    found = in_binary(data, OLD, NEW)
    assert len(found) == len(data)
    assert OLD.encode() not in found
    assert [part for part in found.split(b"\0") if part] == [
        part.replace(OLD.encode(), NEW.encode()) for part in data.split(b"\0") if part
    ]


def test_files_of_packages_are_moved(shop: Shop) -> None:
    binary = b"\x7fELF\0" + PLACEHOLDER.encode() + b"/lib\0rest"
    package = made(
        {"bin/x": File(f"#!{PLACEHOLDER}/bin/sh\n".encode(), True), "lib/y": File(binary)}
    )
    found = shop.files(shop.take(package))
    assert found["opt/env/bin/x"] == b"#!/opt/env/bin/sh\n"
    assert (
        found["opt/env/lib/y"] == b"\x7fELF\0/opt/env/lib".ljust(len(binary) - 5, b"\0") + b"\0rest"
    )


def test_a_file_that_cannot_be_moved_is_refused(shop: Shop) -> None:
    package = made({"lib/x": File(b"/o\0")})
    info = package.info()
    entry = info["info/paths.json"].replace(
        b'"_path"', b'"file_mode": "binary", "prefix_placeholder": "/o", "_path"'
    )
    refusal = shop.refusal(
        shop.take(package, package.packed_with({**info, "info/paths.json": entry}))
    )
    assert "'lib/x' cannot be relocated: '/opt/env' is longer" in refusal


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("store"))
