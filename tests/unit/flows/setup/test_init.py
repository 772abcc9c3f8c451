"""A first spec: from requirements, pyproject.toml or environment.yml, and always one that reads."""

import pytest

from freezer.errors import HostError, SpecError
from freezer.flows.setup.discover import discover
from freezer.flows.setup.init import init
from freezer.frameworks import trainings
from freezer.model.spec.validate import parse_spec

CONDA = """\
name: My Env
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy=1.26
  - conda-forge::scikit-learn >=1.4,<2
  - pytorch==2.1.0=py3.11_cpu_0
  - cudatoolkit=11.8
  - pip
  - pip:
    - wandb>=0.16 ; python_version > "3"
"""


def written(folder, **options):
    result = init(folder, **options)
    return parse_spec(result.path.read_bytes(), "freeze.yaml", trainings())[0], result


def test_an_empty_folder_gives_a_spec_and_says_what_is_missing(tmp_path):
    spec, result = written(tmp_path, python="3.12")
    assert (spec.base, spec.python) == ("python:3.12-slim-bookworm", "3.12")
    assert any("no requirements" in note for note in result.notes)


def test_what_people_write_goes_before_what_tools_write(tmp_path):
    (tmp_path / "requirements.in").write_text("numpy\n")
    (tmp_path / "requirements.txt").write_text("numpy==2.4.6\n")
    spec, result = written(tmp_path)
    assert spec.pip.files == ("requirements.in",)
    assert any("requirements.txt" in note for note in result.notes)


def test_a_pyproject_gives_name_python_and_requirements(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "My_Model"\nrequires-python = "<3.12,>=3.9"\ndependencies = ["numpy"]\n'
    )
    spec, _ = written(tmp_path)
    assert (spec.name, spec.pip.files) == ("my-model", ("pyproject.toml",))
    assert spec.python == "3.11"


def test_a_broken_pyproject_is_noted_and_passed_over(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project\n")
    (tmp_path / "requirements.txt").write_text("numpy\n")
    spec, result = written(tmp_path)
    assert spec.pip.files == ("requirements.txt",)
    assert any("passed over" in note for note in result.notes)


def test_an_environment_yml_is_taken_as_it_is(tmp_path):
    (tmp_path / "environment.yml").write_text(CONDA)
    spec, _ = written(tmp_path)
    assert (spec.name, spec.python) == ("my-env", "3.11")
    assert spec.conda.file == "environment.yml"
    assert spec.base == "debian:bookworm-slim"
    assert spec.pip.requirements == spec.pip.files == ()


@pytest.mark.parametrize(
    ("text", "minor"),
    [("python 3.12.*", "3.12"), ("python>=3.10,<3.13", "3.10"), ("defaults::python=3.9", "3.9")],
)
def test_the_python_of_an_environment_yml(tmp_path, text, minor):
    (tmp_path / "environment.yml").write_text(f"dependencies: ['python-dateutil=3.8', '{text}']")
    assert discover(tmp_path).python == minor


def test_conda_brings_its_own_python_to_any_suite(tmp_path):
    (tmp_path / "environment.yml").write_text("dependencies: [python=3.12, numpy]")
    spec, _ = written(tmp_path, bootstrap="bookworm")
    assert (spec.base.bootstrap, spec.python) == ("bookworm", "3.12")


def test_pips_files_go_before_condas_and_both_are_named(tmp_path):
    (tmp_path / "environment.yml").write_text(CONDA)
    (tmp_path / "requirements.txt").write_text("numpy\n")
    spec, result = written(tmp_path)
    assert spec.conda is None
    assert any("`conda: environment.yml`" in note for note in result.notes)


def test_a_bootstrapped_base_has_its_suites_python(tmp_path):
    spec, _ = written(tmp_path, bootstrap="trixie")
    assert (spec.base.bootstrap, spec.python) == ("trixie", "3.13")
    with pytest.raises(SpecError, match=r"has Python 3\.11"):
        init(tmp_path, bootstrap="bookworm", python="3.12", force=True)


def test_a_spec_that_is_there_stays(tmp_path):
    (tmp_path / "freeze.yaml").write_text("mine")
    with pytest.raises(HostError, match="already"):
        init(tmp_path)
    assert (tmp_path / "freeze.yaml").read_text() == "mine"


def test_the_python_version_file_decides(tmp_path):
    (tmp_path / ".python-version").write_text("3.10.4\n")
    assert discover(tmp_path).python == "3.10"


def test_a_name_that_cannot_be_used_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(SpecError, match="name"):
        init(tmp_path, name="Not A Name")
    assert not (tmp_path / "freeze.yaml").exists()
