"""A bundle of a whole lock: what is taken of it, and that one changed byte is enough to refuse it."""

import pytest

from freezer.errors import FreezerError, LockError
from freezer.flows.image.bundle import bundle, check_bundle, take_bundle
from freezer.model.canonical import digest
from freezer.model.lockfile import LOCK_FILE, lock_bytes, lock_id
from tests.support.host.hosts import make_host
from tests.support.project.insides import PART
from tests.support.project.locks import make_lock
from tests.support.project.small_lock import DEB, TRAINING, WHEEL, WORDS, made_lock


@pytest.fixture
def here(tmp_path):
    host = make_host(tmp_path / "here", "nowhere")
    host.references.mkdir(parents=True)
    (host.references / LOCK_FILE).write_bytes(lock_bytes(made_lock()))
    for data in (DEB, WHEEL, TRAINING, WORDS, PART):
        host.opened.store.put_bytes(data)
    return host


@pytest.fixture
def file(here, tmp_path):
    path = tmp_path / "demo.bundle"
    bundle(here.opened, "demo", path)
    return path


def test_a_bundle_brings_the_lock_and_every_file_of_it(file, tmp_path):
    there = make_host(tmp_path / "there", "nowhere")
    assert take_bundle(there.opened, file) == "demo"
    assert (there.references / LOCK_FILE).read_bytes() == lock_bytes(made_lock())
    for data in (DEB, WHEEL, TRAINING, WORDS, PART):
        assert there.opened.store.verified(digest(data)).read_bytes() == data


def test_any_changed_byte_is_enough(here, file):
    whole = file.read_bytes()
    assert check_bundle(here.opened, file).lock_id == lock_id(lock_bytes(made_lock()))
    for position in range(0, len(whole), 23):
        changed = bytearray(whole)
        changed[position] ^= 1 << position % 8
        file.write_bytes(changed)
        with pytest.raises(FreezerError):
            check_bundle(here.opened, file)


def test_the_name_of_another_environment_is_refused(here, file):
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b'"environment":"demo"', b'"environment":"demp"', 1))
    with pytest.raises(FreezerError, match="does not contain the lock that it names"):
        check_bundle(here.opened, file)


def test_another_lock_of_that_name_is_not_written_over(file, tmp_path):
    there = make_host(tmp_path / "there", "nowhere")
    there.references.mkdir(parents=True)
    (there.references / LOCK_FILE).write_bytes(lock_bytes(make_lock()))
    with pytest.raises(LockError, match="another lock of demo"):
        take_bundle(there.opened, file)
    assert (there.references / LOCK_FILE).read_bytes() == lock_bytes(make_lock())
