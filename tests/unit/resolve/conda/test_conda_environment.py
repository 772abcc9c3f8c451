"""environment.yml as people write them, and the spec's own lists: every entry with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from freezer.errors import SpecError
from freezer.fetch.conda.channels import default_url
from freezer.fetch.config import Config
from freezer.model.spec.spec import CondaSpec
from freezer.resolve.conda.environment import CondaRequirements, gather_conda

PEOPLES_OWN = """\
# exported on a Friday
name: ldm
channels:
  - pytorch   # first
  - conda-forge
  - nodefaults
dependencies:
  - python >= 3.9
  - pip=20.3
  - pytorch::pytorch = 1.12.*
  - numpy =1.19.2=py38_0
  - 'libblas=*=*openblas'
  - PyYAML==5.4.1
  - "scipy >=1.2, <2"
  - _libgcc_mutex=0.1=conda_forge
  - bioconda::hmmer==3.3.2
  - pip:
    - --extra-index-url https://wheels.example/whl
    - -r requirements.txt
    - torch-fidelity==0.3.0   # a comment
    - git+https://code.example/x/y.git@main#egg=y
    # - left-out==1
variables:
  OMP_NUM_THREADS: 4
prefix: /home/somebody/miniconda3/envs/ldm
"""


def gather(folder: Path, text: str | None = None, **more: Any) -> CondaRequirements:
    settings = {name: more.pop(name) for name in ("config", "subdir") if name in more}
    if text is not None:
        (folder / "environment.yml").write_text(text)
        more["file"] = "environment.yml"
    return gather_conda(folder, CondaSpec.model_validate(more), "3.11", **settings)


def asked(found: CondaRequirements) -> list[tuple[str, str | None, str]]:
    return [(item.text, item.channel, str(item.where)) for item in found.specs]


def test_a_file_as_people_write_it(tmp_path: Path) -> None:
    found = gather(tmp_path, PEOPLES_OWN)
    assert asked(found) == [
        ("python=3.11", None, "freeze.yaml (python)"),
        ("python>=3.9", None, "environment.yml:8"),
        ("pip=20.3", None, "environment.yml:9"),
        ("pytorch=1.12.*", "pytorch", "environment.yml:10"),
        ("numpy=1.19.2=py38_0", None, "environment.yml:11"),
        ("libblas=*=*openblas", None, "environment.yml:12"),
        ("PyYAML==5.4.1", None, "environment.yml:13"),
        ("scipy>=1.2,<2", None, "environment.yml:14"),
        ("_libgcc_mutex=0.1=conda_forge", None, "environment.yml:15"),
        ("hmmer==3.3.2", "bioconda", "environment.yml:16"),
    ]
    assert [channel.name for channel in found.channels] == ["pytorch", "conda-forge", "bioconda"]
    assert [(text, str(where)) for text, where in found.pip] == [
        ("--extra-index-url https://wheels.example/whl", "environment.yml:18"),
        ("-r requirements.txt", "environment.yml:19"),
        ("torch-fidelity==0.3.0", "environment.yml:20"),
        ("git+https://code.example/x/y.git@main#egg=y", "environment.yml:21"),
    ]
    assert found.pip_folder == tmp_path
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("environment.yml:23: environment variables are ignored")


def test_the_specs_own_lists(tmp_path: Path) -> None:
    found = gather(
        tmp_path,
        channels=["conda-forge", "https://conda.example/t/tk-1/team"],
        dependencies=["numpy =2.2", "team::model"],
    )
    assert asked(found)[1:] == [
        ("numpy=2.2", None, "freeze.yaml (conda.dependencies[0])"),
        ("model", "team", "freeze.yaml (conda.dependencies[1])"),
    ]
    assert [channel.name for channel in found.channels] == ["conda-forge", "team"]


def test_the_specs_channels_go_before_the_files(tmp_path: Path) -> None:
    text = "channels: [conda-forge]\ndependencies: [numpy]\n"
    found = gather(tmp_path, text, channels=["ours"], dependencies=["scipy"])
    assert [channel.name for channel in found.channels] == ["ours", "conda-forge"]
    assert [item.text for item in found.specs] == ["python=3.11", "scipy", "numpy"]


def test_defaults_named_with_a_package_is_its_main_channel(tmp_path: Path) -> None:
    found = gather(tmp_path, "channels: [defaults]\ndependencies: ['defaults::numpy']\n")
    assert [channel.name for channel in found.channels] == ["main", "r"]
    assert (found.specs[1].channel, found.specs[1].text) == ("main", "numpy")


def test_without_channels_conda_has_defaults(tmp_path: Path) -> None:
    found = gather(tmp_path, "dependencies: [numpy]\n")
    assert [channel.name for channel in found.channels] == ["main", "r"]
    assert "`defaults`" in found.warnings[0]


def test_folders_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "deep" / "local").mkdir(parents=True)
    (tmp_path.parent / "outer").mkdir(exist_ok=True)
    (tmp_path / "deep" / "env.yml").write_text("channels: [./local]\ndependencies: [numpy]\n")
    found = gather_conda(tmp_path, CondaSpec(file="deep/env.yml", channels=("../outer",)), "3.11")
    assert [channel.urls[0] for channel in found.channels] == [
        (tmp_path.parent / "outer").as_uri(),
        (tmp_path / "deep" / "local").as_uri(),
    ]


def test_the_question_holds_no_secret_and_no_place(tmp_path: Path) -> None:
    text = "channels: [https://me:pw@conda.example/t/tk-1/team]\ndependencies: [numpy]\n"
    first = gather(tmp_path, text)
    assert "tk-1" not in str(first.lines)
    assert "pw" not in str(first.lines)
    commented = gather(tmp_path, "# a comment\n\n" + text)
    assert commented.lines == first.lines
    other = gather(tmp_path, text.replace("numpy", "scipy"))
    assert other.lines != first.lines


def test_the_configuration_says_where_a_channel_is(tmp_path: Path) -> None:
    config = Config.model_validate(
        {"sources": {"conda": {"conda-forge": ["https://m.example/cf"]}}}
    )
    text = "channels: [conda-forge]\ndependencies: [numpy]\n"
    [channel] = gather(tmp_path, text, config=config).channels
    assert channel.urls == ("https://m.example/cf",)
    [channel] = gather(tmp_path, text).channels
    assert channel.urls == (default_url("conda-forge"),)


SELECTORS = """\
channels: [conda-forge]
dependencies:
  - everywhere
  - mac-only  # [osx]
  - arm-mac  # [arm64]
  - windows-only  # [win]
  - linux-only  # needed there [linux]
  - intel  # [linux64]
  - arm  # [aarch64]
  - plain  # see the notes [note]
  - sel(linux): chosen
  - sel(win): not-chosen
  - pip:
    - wheel-a
    - wheel-b  # [win64]
"""


def test_selectors_leave_out_other_platforms(tmp_path: Path) -> None:
    intel = gather(tmp_path, SELECTORS)
    assert [item.text for item in intel.specs[1:]] == [
        *("everywhere", "linux-only", "intel", "plain", "chosen"),
    ]
    assert [text for text, _ in intel.pip] == ["wheel-a"]
    arm = gather(tmp_path, SELECTORS, subdir="linux-aarch64")
    assert [item.text for item in arm.specs[1:]] == [
        *("everywhere", "linux-only", "arm", "plain", "chosen"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "channels:\n- conda-forge\ndependencies:\n- numpy\n- pip\n- pip:\n  - x\n",
        "channels: [conda-forge]\ndependencies:\n  - numpy\n  - pip\n  -\n  - pip: [x]\n",
        "channels: [conda-forge]\r\ndependencies:\r\n  - numpy\r\n  - pip\r\n  - pip: [x]\r\n",
        "\ufeffchannels: [conda-forge]\ndependencies: [numpy, pip, {pip: [x]}]\n",
        "dependencies: [numpy, pip, {pip: [x]}, {pip: }]\nchannels: [conda-forge]\n",
    ],
)
def test_layouts(tmp_path: Path, text: str) -> None:
    (tmp_path / "environment.yml").write_bytes(text.encode())
    found = gather_conda(tmp_path, CondaSpec(file="environment.yml"), "3.11")
    assert [item.text for item in found.specs] == ["python=3.11", "numpy", "pip"]
    assert [text for text, _ in found.pip] == ["x"]
    assert [channel.name for channel in found.channels] == ["conda-forge"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("numpy=>1.2", "write '>=' or '<='"),
        ("numpy==", "the version is missing"),
        ("foo @ https://x.example/foo.whl", "move the line under `pip:`"),
        ("numpy; sys_platform == 'linux'", "move the line under `pip:`"),
        ("https://conda.example/team/linux-64/a-1.0-0.conda", "the URL of an archive"),
        ("numpy: 1.2", "write 'numpy=1.2'"),
        ("[a, b]", "not text"),
        ("conda/forge/", "is not a match spec"),
    ],
)
def test_what_cannot_be_read_names_its_line(tmp_path: Path, entry: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        gather(tmp_path, f"channels: [conda-forge]\ndependencies:\n  - scipy\n  - {entry}\n")
    assert said in str(caught.value)
    assert caught.value.where is not None
    assert (caught.value.where.file, caught.value.where.line) == ("environment.yml", 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\n", "no dependencies"),
        ("dependencies: numpy\n", "not a list"),
        ("channels: {a: b}\ndependencies: [numpy]\n", "not a list"),
        ("dependencies:\n  - pip: torch\n", "'pip' is not a list"),
        ("dependencies: [numpy\n", "not valid YAML"),
    ],
)
def test_what_is_no_environment_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        gather(tmp_path, text)
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"environment.yml cannot be read") as caught:
        gather_conda(tmp_path, CondaSpec(file="environment.yml"), "3.11")
    assert str(caught.value.where) == "freeze.yaml (conda.file)"


def test_an_archive_with_a_token_is_not_shown(tmp_path: Path) -> None:
    entry = "https://conda.example/t/tk-1/team/linux-64/a-1.0-0.conda"
    with pytest.raises(SpecError) as caught:
        gather(tmp_path, f"dependencies:\n  - {entry}\n")
    assert "tk-1" not in str(caught.value)


def test_brackets_keep_their_values(tmp_path: Path) -> None:
    entry = """'blas[build="mkl", version=">=1.0"]'"""
    found = gather(tmp_path, f"channels: [conda-forge]\ndependencies:\n  - {entry}\n")
    assert found.specs[1].text == 'blas[build="mkl", version=">=1.0"]'
