"""Freezer's runtime as one piece: read back file by file, and nothing else is let through."""

import pytest

from freezer.errors import IntegrityError, LockError
from freezer.inside import INTERFACE, inside_bytes, inside_digest, inside_files
from freezer.model.canonical import digest
from freezer.model.image_runtime import LARGEST, UNDERSTOOD, require_interface, unpack
from freezer.model.lock import ImageRuntime
from tests.support.project.insides import ASKED, PART, pack, part_files


def read(data):
    return unpack(data, digest(data), "lockfiles/demo/inside/1")


def test_this_freezers_part_is_the_piece_that_its_digest_is_of():
    assert digest(inside_bytes()) == inside_digest()[1]
    assert inside_bytes() == pack(inside_files())
    assert read(inside_bytes()) == inside_files()


def test_its_interface_is_one_that_it_understands_itself():
    assert INTERFACE in UNDERSTOOD


def test_the_digest_of_the_name_is_demanded():
    with pytest.raises(IntegrityError, match="not the stored copy") as raised:
        unpack(PART, digest(PART + b"#"), "lockfiles/demo/inside/1")
    assert raised.value.where is not None
    assert raised.value.where.file == "lockfiles/demo/inside/1"


@pytest.mark.parametrize(
    "name",
    [
        "../etc/passwd",
        "/etc/cron.d/job.py",
        "freezer_inside/../../../etc/job.py",
        "freezer_inside/./job.py",
        "freezer_inside//job.py",
        "freezer_inside/job.pth",
        "freezer_inside/job.py/more",
        "freezer_inside/.hidden.py",
        "freezer_inside/a\\b.py",
        "freezer_inside/a b.py",
        "freezer_inside/b\u00fccher.py",
        "freezer_inside/job.py\n",
        "freezer_inside.py",
        "freezer_inventory/report.py",
        "sitecustomize.py",
        f"freezer_inside/{'deep/' * 9}job.py",
    ],
)
def test_only_modules_of_the_package_are_let_through(name):
    with pytest.raises(IntegrityError) as raised:
        read(PART + pack({name: b"import os"}))
    assert "a file" in (raised.value.found or "")


def test_packages_below_it_are():
    files = {
        **part_files(),
        "freezer_inside/deep/er/__init__.py": b"",
        "freezer_inside/A1.py": b"x",
    }
    assert read(pack(files)) == files


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "no __init__.py, bytecode.py"),
        (PART[:-1], "begins no file"),
        (PART + b"freezer_inside/more.py", "begins no file"),
        (PART + b"freezer_inside/more.py\x001", "begins no file"),
        (PART + b"freezer_inside/more.py\x00+1\x00a", "begins no file"),
        (PART + b"freezer_inside/more.py\x0001\x00a", "begins no file"),
        (PART + b"freezer_inside/more.py\x00-1\x00a", "begins no file"),
        (PART + b"freezer_inside/more.py\x00999999999\x00a", "begins no file"),
        (PART + b"\x001\x00a", "begins no file"),
        (PART + PART, "twice"),
        (PART + pack({f"freezer_inside/m{n}.py": b"" for n in range(1000)}), "over 1000 files"),
        (PART + pack({"freezer_inside/large.py": bytes(LARGEST)}), "bytes that hash to"),
        *((PART.replace(f"{name}.py".encode(), f"{name}_.py".encode()), name) for name in ASKED),
    ],
)
def test_what_is_cut_off_or_made_up_is_refused(data, found):
    with pytest.raises(IntegrityError) as raised:
        read(data)
    assert found in (raised.value.found or "")


@pytest.mark.parametrize(
    ("interface", "hint"), [(max(UNDERSTOOD) + 1, "newer Freezer"), (2**40, "newer Freezer")]
)
def test_a_part_that_has_another_interface_is_named(interface, hint):
    with pytest.raises(LockError, match="has an interface") as raised:
        require_interface(ImageRuntime(version="7", sha256="5" * 64, interface=interface))
    assert f"interface {interface}, of freezer_inside 7 (555555555555)" in str(raised.value)
    assert hint in (raised.value.hint or "")


def test_one_that_names_no_interface_speaks_the_first():
    require_interface(ImageRuntime(version="1", sha256="5" * 64))
