"""Which environment a command is about, and what is said when that is not clear."""

import pytest

from freezer.errors import LockError, SpecError
from freezer.flows.project.environment import (
    load_environment,
    load_locked,
    read_lock,
    read_spec_file,
)
from freezer.model.lockfile import lock_bytes
from tests.support.project.locks import make_lock

SPEC = "name: {name}\nbase: {{bootstrap: bookworm}}\npython: '3.11'\n"


def project(folder, *names):
    for name in names:
        path = folder / "images" / name
        path.mkdir(parents=True)
        (path / "freeze.yaml").write_text(SPEC.format(name=name))
    return folder


def lock(folder, name, **changes):
    path = folder / "lockfiles" / name
    path.mkdir(parents=True)
    (path / "freeze.lock.yaml").write_bytes(lock_bytes(make_lock(**changes)))


def test_the_only_environment_needs_no_name(tmp_path):
    assert load_environment(project(tmp_path, "demo"), None).name == "demo"


def test_a_project_of_one_spec(tmp_path):
    (tmp_path / "freeze.yaml").write_text(SPEC.format(name="own"))
    assert load_environment(tmp_path, None).lock_folder == tmp_path / "lockfiles" / "own"
    assert load_environment(tmp_path, "own").name == "own"


def test_several_environments_and_none_named(tmp_path):
    with pytest.raises(SpecError) as caught:
        load_environment(project(tmp_path, "a", "b"), None)
    assert caught.value.details == ("a", "b")


def test_a_name_that_is_nearly_right(tmp_path):
    with pytest.raises(SpecError, match="did you mean 'sklearn-cpu'"):
        load_environment(project(tmp_path, "sklearn-cpu"), "sklearn-gpu")


def test_no_spec_at_all(tmp_path):
    with pytest.raises(SpecError, match="freeze init"):
        load_environment(tmp_path, None)


def test_a_folder_of_another_name(tmp_path):
    folder = project(tmp_path, "demo")
    (folder / "images/demo/freeze.yaml").write_text(SPEC.format(name="other"))
    with pytest.raises(SpecError) as caught:
        load_environment(folder, "demo")
    assert str(caught.value.where) == "images/demo/freeze.yaml:1 (name)"


def test_a_lock_needs_no_spec(tmp_path):
    lock(tmp_path, "demo")
    assert load_locked(tmp_path, "demo").lock.name == "demo"


def test_the_only_lock_needs_no_name_where_there_is_no_spec(tmp_path):
    lock(tmp_path, "demo")
    assert load_locked(tmp_path, None).lock.name == "demo"


@pytest.mark.parametrize("name", ["../demo", "a/b", "..", "Demo"])
def test_a_name_is_never_a_path(tmp_path, name):
    lock(tmp_path, "demo")
    with pytest.raises(SpecError):
        load_locked(project(tmp_path, "other"), name)


def test_without_a_lock_the_next_step_is_named(tmp_path):
    with pytest.raises(LockError, match="freeze lock demo"):
        load_locked(project(tmp_path, "demo"), None)


def test_a_lock_of_another_environment(tmp_path):
    lock(tmp_path, "other")
    with pytest.raises(LockError, match="another environment's"):
        read_lock(tmp_path, "other")


def test_a_file_beside_the_spec_may_not_lead_elsewhere(tmp_path):
    environment = load_environment(project(tmp_path, "demo"), "demo")
    (tmp_path / "secret").write_text("x")
    (environment.spec_folder / "train.py").symlink_to(tmp_path / "secret")
    with pytest.raises(SpecError, match="leads out"):
        read_spec_file(environment, "train.py", "smoke.files")
