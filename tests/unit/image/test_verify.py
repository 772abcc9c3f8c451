"""Every way in which an image can differ from its lock is found and named."""

from __future__ import annotations

from typing import Any

import pytest

from freezer.errors import VerificationError
from freezer.image.verify import Account, Expected, verify
from tests.support.project.locks import make_lock, sha

PATH = "/opt/env/lib/python3.11/site-packages/numpy/__init__.py"
EXPECTED = {
    PATH: Expected("file", sha("1"), 0o644, 10),
    "/opt/env/bin/python": Expected("link", "/usr/bin/python3.11", 0o777, 0),
}


def account(**changes: Any) -> Account:
    document: dict[str, Any] = {
        "python": "3.11.2",
        "prefix": "/opt/env",
        "libc": ["glibc", "2.36"],
        "machine": "x86_64",
        "files": {
            PATH: ["file", sha("1"), 10, 0o644],
            "/opt/env/bin/python": ["link", "/usr/bin/python3.11", 0, 0o777],
        },
        "debian": [["libc6", "2.36-9", "amd64"], ["libgomp1", "12.2.0-14", "amd64"]],
        "dpkg_verify": [0, ""],
        "distributions": [["numpy", "2.4.6"]],
        "pip_check": [0, "No broken requirements found."],
    }
    return Account.model_validate({**document, **changes})


FILES = account().files


def test_what_was_not_to_be_hashed_and_is_as_expected_need_not_be_listed() -> None:
    hashed = frozenset({PATH})
    verify(make_lock(), account(files={PATH: FILES[PATH]}, rest=True), EXPECTED, hashed=hashed)
    for told in (account(files={}, rest=True), account(files={PATH: FILES[PATH]})):
        with pytest.raises(VerificationError):
            verify(make_lock(), told, EXPECTED, hashed=hashed)
    # All files were asked for: then nothing may be left out.
    with pytest.raises(VerificationError):
        verify(make_lock(), account(files={PATH: FILES[PATH]}, rest=True), EXPECTED)


def test_an_image_that_holds_what_the_lock_says_passes() -> None:
    verify(make_lock(), account(), EXPECTED)


DEBIAN = account().debian or []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": {PATH: FILES[PATH]}}, "missing: /opt/env/bin/python"),
        ({"files": {**FILES, "/opt/env/x": ("file", sha("2"), 1, 0o644)}}, "not in the lock: /opt/env/x"),
        ({"files": {**FILES, PATH: ("file", sha("9"), 10, 0o644)}}, "other content"),
        ({"files": {**FILES, PATH: ("link", sha("1"), 10, 0o644)}}, "other content"),
        ({"files": {**FILES, PATH: ("file", sha("1"), 10, 0o666)}}, "other mode"),
        ({"debian": [*DEBIAN, ("curl", "8", "amd64")]}, "Debian package not in the lock: curl"),
        ({"debian": DEBIAN[:1]}, "missing Debian package: libgomp1"),
        ({"debian": [("libc6", "2.36-10", "amd64"), DEBIAN[1]]}, "libc6 is 2.36-10 amd64, locked 2.36-9"),
        ({"debian": None}, "missing Debian package: libc6"),
        ({"dpkg_verify": (1, "??5??????   /usr/bin/perl\n")}, "changed after its Debian package"),
        ({"distributions": [("numpy", "2.4.5")]}, "Python package numpy is 2.4.5, locked 2.4.6"),
        ({"distributions": [("numpy", "2.4.6"), ("Evil_Twin", "1")]}, "not in the lock: evil-twin"),
        ({"python": "3.11.3"}, "Python is 3.11.3, locked 3.11.2"),
        ({"libc": ("glibc", "2.37")}, "glibc is 2.37"),
        ({"machine": "aarch64"}, "architecture is aarch64"),
        ({"prefix": "/usr"}, "sys.prefix is /usr"),
        ({"pip_check": (1, "scipy requires numpy")}, "pip check: scipy requires numpy"),
        ({"pip_check": None}, "pip is missing"),
    ],
)  # fmt: skip
def test_a_difference_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(VerificationError) as caught:
        verify(make_lock(), account(**changes), EXPECTED)
    assert message in str(caught.value)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("a 1 has requirement c<2, but you have c 3.", False),
        ("a 1 has requirement C_x<2, but you have c-x 3.", True),
        ("a 1 requires c, which is not installed.", False),
        ("a 1 requires cc, which is not installed.", True),
    ],
)
def test_what_the_project_overrides_is_no_fault(line: str, counts: bool) -> None:
    lock = make_lock().model_copy(update={"overrides": ("c",)})
    said = account(pip_check=(1, line))
    if not counts:
        verify(lock, said, EXPECTED)
        return
    with pytest.raises(VerificationError, match="pip check"):
        verify(lock, said, EXPECTED)


def test_configuration_files_and_left_out_documentation_are_no_difference() -> None:
    said = "??5?????? c /etc/passwd.conf\nmissing     /usr/share/doc/libc6/README\n"
    verify(make_lock(), account(dpkg_verify=[1, said]), EXPECTED)


def test_a_flood_of_differences_is_counted_not_printed() -> None:
    files = {**FILES, **{f"/opt/env/{i}": ("file", sha("2"), 1, 0o644) for i in range(100)}}
    with pytest.raises(VerificationError) as caught:
        verify(make_lock(), account(files=files), EXPECTED)
    assert "and 80 more" in str(caught.value)


def test_a_file_without_a_hash_passes_only_where_none_was_asked_for() -> None:
    files = {**FILES, PATH: ("file", "", 10, 0o644)}
    verify(make_lock(), account(files=files), EXPECTED, hashed=frozenset())
    for hashed in (None, {PATH}):
        with pytest.raises(VerificationError, match="other content"):
            verify(make_lock(), account(files=files), EXPECTED, hashed=hashed)


@pytest.mark.parametrize(
    "facts",
    [("file", "", 11, 0o644), ("file", "", 10, 0o600), ("link", "", 0, 0o777), ("other", "", 0, 0o644)],
)  # fmt: skip
def test_a_file_without_a_hash_has_its_size_and_mode(facts: tuple[str, str, int, int]) -> None:
    with pytest.raises(VerificationError, match="other"):
        verify(make_lock(), account(files={**FILES, PATH: facts}), EXPECTED, hashed=frozenset())
