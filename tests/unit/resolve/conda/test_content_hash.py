"""The content hash that Freezer computes is conda-lock's, wherever it computes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from freezer.resolve.conda import export
from freezer.resolve.conda.content_hash import content_hashes
from freezer.resolve.conda.solver.conda_lock_library import conda_lock_module, quiet
from tests.support.examples import examples

if TYPE_CHECKING:
    from pathlib import Path

VIRTUAL = {
    "linux-64": {"__archspec": ("1", "x86_64"), "__glibc": ("2.36", ""), "__unix": ("0", "")},
    "linux-aarch64": {"__archspec": ("1", "aarch64"), "__cuda": ("12.4", "")},
}
NAMES = st.sampled_from(["numpy", "_openmp_mutex", "a.b", "libblas", "Cuda-version", "python"])
VERSIONS = st.sampled_from(
    ["1", "1.2", "3.12", "2.0a1", "1.0rc1", "2026.1.2", "1.1.1w", "0", "1.x"]
)
BUILDS = st.sampled_from(["py312_0", "*openblas", "cuda*", "0", "h1234_1", "*_cpython"])
BOUNDS = st.tuples(st.sampled_from([">=", "<=", ">", "<", "!="]), VERSIONS).map("".join)
RESTS = st.one_of(
    st.just(""),
    VERSIONS.map("={}".format),
    VERSIONS.map("={}.*".format),
    VERSIONS.map("=={}".format),
    VERSIONS.map(" {}".format),
    VERSIONS.map(" {}.*".format),
    st.tuples(st.sampled_from(["", " "]), st.lists(BOUNDS, min_size=1, max_size=3)).map(
        lambda one: one[0] + ",".join(one[1])
    ),
    st.lists(BOUNDS, min_size=2, max_size=2).map(lambda one: " " + ", ".join(one)),
    st.tuples(VERSIONS, BUILDS).map(lambda one: f"={one[0]}={one[1]}"),
    BUILDS.map("=*={}".format),
)
USUAL = st.tuples(NAMES, RESTS).map("".join)
ANY = st.tuples(NAMES, st.text(alphabet=" =<>!~*,|.0129abp_-[]:#@'", max_size=12)).map("".join)
CHANNELS = st.sampled_from(
    ["conda-forge", "conda-forge/label/dev", "https://host.example/c", "file:///srv/c",
     "https://host.example:8443/a%20b/c"]
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hashes")
    (made / "names.json").write_text("{}")
    lines = ["subdirs:"]
    for subdir, packages in VIRTUAL.items():
        lines += [f"  {subdir}:", "    packages:"]
        lines += [f'      {name}: "{" ".join(one).strip()}"' for name, one in packages.items()]
    (made / "virtual.yml").write_text("\n".join(lines))
    return made


def theirs(folder: Path, channels: list[str], requirements: list[str]) -> dict[str, str]:
    items = ["channels:", *(f"- '{one}'" for one in channels), "dependencies:"]
    items += [f"- '{one}'" for one in requirements]
    (folder / "environment.yml").write_text("\n".join([*items, ""]))
    with quiet():
        spec = conda_lock_module("src_parser").make_lock_spec(
            src_files=[folder / "environment.yml"],
            platform_overrides=sorted(VIRTUAL),
            mapping_url=(folder / "names.json").as_uri(),
        )
    virtual = conda_lock_module("virtual_package")
    repository = virtual.virtual_package_repo_from_specification(folder / "virtual.yml")
    found: dict[str, str] = conda_lock_module("content_hash").compute_content_hashes(
        spec, repository
    )
    return found


@pytest.mark.process
@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(CHANNELS, min_size=1, max_size=2), st.lists(USUAL, min_size=1, max_size=4))
@example(["conda-forge"], ["python=3.12", "pytorch", "cudnn"])
@example(["conda-forge"], ["numpy=1", "numpy=2"])
def test_usual_requirements_have_conda_locks_hash(
    folder: Path, channels: list[str], requirements: list[str]
) -> None:
    found = content_hashes(channels, requirements, VIRTUAL)
    assert found is not None
    assert found == theirs(folder, channels, requirements)


@pytest.mark.process
@settings(max_examples=examples(200), deadline=None)
@given(ANY)
@example("numpy=1.conda")
@example("numpy=1.2*")
@example("numpy=*")
@example("numpy=1.2|1.3")
def test_other_requirements_have_it_or_none(folder: Path, requirement: str) -> None:
    found = content_hashes(["conda-forge"], [requirement], VIRTUAL)
    if found is not None:
        assert found == theirs(folder, ["conda-forge"], [requirement])


@pytest.mark.parametrize(
    "channel",
    ["nodefaults", "https://u:p@host.example/c", "https://host.example/t/abc/c", "ü",
     "https://host.example/c?x", "https://HOST.example/\"c\""],
)  # fmt: skip
def test_channels_that_conda_lock_rewrites_are_left_to_it(channel: str) -> None:
    assert content_hashes([channel], ["numpy"], VIRTUAL) is None


def test_nothing_required_is_left_to_conda_lock() -> None:
    assert content_hashes(["conda-forge"], [], VIRTUAL) is None


def test_a_source_with_a_pip_part_is_not_plain() -> None:
    plain: Any = export._PLAIN_SOURCE
    assert plain.fullmatch("channels:\n- 'a'\ndependencies:\n- 'b=1'\n- 'c'\n")
    assert not plain.fullmatch("channels:\n- 'a'\ndependencies:\n- 'b=1'\n- pip:\n  - 'c'\n")
    assert not plain.fullmatch("channels:\n- 'a''b'\ndependencies:\n- 'b=1'\n")
