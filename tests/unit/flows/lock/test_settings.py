"""What of an image follows from the spec alone."""

import pytest

from freezer.errors import SpecError
from freezer.flows.lock.image_settings import image_environment, require_free_names, smoke_plan
from freezer.flows.project.environment import load_environment
from freezer.model.events import SilentReporter

SPEC = "name: demo\nbase: {bootstrap: bookworm}\npython: '3.11'\n"


class Listener(SilentReporter):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def environment(folder, more=""):
    (folder / "freeze.yaml").write_text(SPEC + more)
    return load_environment(folder, None)


def test_threads_are_the_cpus_of_the_smoke_training_unless_said_otherwise(tmp_path):
    spec = environment(tmp_path, "smoke: {cpus: 4}\n").spec
    assert image_environment(spec, {})["OMP_NUM_THREADS"] == "4"
    spec = environment(tmp_path, "smoke: {cpus: 4}\ndeterminism: {threads: 1}\n").spec
    assert image_environment(spec, {})["OPENBLAS_NUM_THREADS"] == "1"


def test_portable_numerics_are_in_the_image(tmp_path):
    spec = environment(tmp_path, "determinism: {numerics: portable}\n").spec
    found = image_environment(spec, {})
    assert (found["OPENBLAS_CORETYPE"], found["FREEZER_NUMERICS"]) == ("Haswell", "portable")
    assert "OPENBLAS_CORETYPE" not in image_environment(environment(tmp_path).spec, {})


def test_portable_numerics_are_refused_where_they_are_not_known(tmp_path):
    with pytest.raises(SpecError, match="known for linux/amd64 only"):
        environment(tmp_path, "platform: linux/arm64\ndeterminism: {numerics: portable}\n")


def test_the_users_variables_win_over_settings_and_the_base(tmp_path):
    spec = environment(tmp_path, "env: {OMP_NUM_THREADS: '3', LANG: de_DE.UTF-8}\n").spec
    found = image_environment(spec, {"PATH": "/usr/local/bin", "LANG": "C", "FOO": "bar"})
    assert (found["OMP_NUM_THREADS"], found["LANG"], found["FOO"]) == ("3", "de_DE.UTF-8", "bar")
    assert found["PATH"] == "/opt/env/bin:/usr/local/bin"


@pytest.mark.parametrize("name", ["PATH", "HOME", "USER", "LOGNAME", "VIRTUAL_ENV"])
def test_what_the_image_depends_on_is_not_the_users(tmp_path, name):
    with pytest.raises(SpecError, match=name):
        require_free_names(environment(tmp_path, f"env: {{{name}: x}}\n"))


def test_trainings_are_those_whose_package_is_locked(tmp_path):
    plan, _ = smoke_plan(environment(tmp_path), ["scikit-learn", "numpy", "six"], SilentReporter())
    assert plan.trainings == ("numpy", "sklearn")


@pytest.mark.parametrize("package", ["xgboost", "xgboost-cpu"])
def test_a_package_that_has_two_builds_is_known_by_either(tmp_path, package):
    plan, _ = smoke_plan(environment(tmp_path), [package], SilentReporter())
    assert plan.trainings == ("xgboost",)


def test_a_training_of_ones_own_stands_alone(tmp_path):
    (tmp_path / "train.py").write_bytes(b"x")
    own = "smoke: {command: [python, train.py], files: [train.py]}\n"
    plan, files = smoke_plan(environment(tmp_path, own), ["numpy"], SilentReporter())
    assert (plan.trainings, plan.command) == ((), ("python", "train.py"))
    assert (files, plan.files[0].size) == ({"train.py": b"x"}, 1)


def test_a_training_without_its_package_is_refused(tmp_path):
    with pytest.raises(SpecError, match="needs scikit-learn"):
        smoke_plan(environment(tmp_path, "smoke: {training: sklearn}\n"), ["numpy"], Listener())


def test_nothing_to_train_is_said(tmp_path):
    listener = Listener()
    smoke_plan(environment(tmp_path), ["six"], listener)
    assert "nothing to compare" in listener.warnings[0]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"train\.py cannot be read"):
        smoke_plan(
            environment(tmp_path, "smoke: {command: [x], files: [train.py]}\n"), [], Listener()
        )
