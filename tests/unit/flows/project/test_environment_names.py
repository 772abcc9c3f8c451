"""A wrong name of an environment is answered with the one that was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import SpecError
from freezer.flows.project.environment import environment_names, load_environment, load_locked
from freezer.model.lockfile import LOCK_FILE, lock_bytes
from tests.support.project.locks import make_lock

SPEC = "name: {name}\nbase: {{bootstrap: bookworm}}\npython: '3.11'\n"


def specs(project: Path, *names: str, own: str | None = None) -> Path:
    for name in names:
        folder = project / "images" / name
        folder.mkdir(parents=True)
        (folder / "freeze.yaml").write_text(SPEC.format(name=name))
    if own is not None:
        (project / "freeze.yaml").write_text(SPEC.format(name=own))
    return project


@pytest.mark.parametrize("load", [load_environment, load_locked])
@pytest.mark.parametrize(
    ("typed", "meant"),
    [("torch-gpuu", "torch-gpu"), ("trch-cpu", "torch-cpu"), ("whol", "whole")],
)
def test_did_you_mean(tmp_path: Path, load: object, typed: str, meant: str) -> None:
    project = specs(tmp_path, "torch-cpu", "torch-gpu", own="whole")
    assert environment_names(project) == ["whole", "torch-cpu", "torch-gpu"]
    with pytest.raises(SpecError) as caught:
        load(project, typed)  # type: ignore[operator]
    assert caught.value.hint == f"did you mean {meant!r}?"


def test_something_else_is_no_typing_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        load_environment(specs(tmp_path, "torch-cpu"), "boosting")
    assert caught.value.hint == "write images/boosting/freeze.yaml, or run `freeze init`"


def test_names_of_locks_where_there_are_no_specs(tmp_path: Path) -> None:
    folder = tmp_path / "lockfiles" / "demo"
    folder.mkdir(parents=True)
    (folder / LOCK_FILE).write_bytes(lock_bytes(make_lock()))
    assert load_locked(tmp_path, None).lock.name == "demo"
    with pytest.raises(SpecError) as caught:
        load_locked(tmp_path, "dmeo")
    assert caught.value.hint == "did you mean 'demo'?"
