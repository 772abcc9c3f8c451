"""Requirement files of well-known repositories, against the index that this machine has.

Each locks, or fails with an error that its user can act on. The cut-off is fixed, so that the
answers stay what they are: an index keeps its files and their dates.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from freezer.errors import FetchError, FreezerError, ResolveError, SpecError
from freezer.fetch.config import Config
from freezer.fetch.python.index import PythonIndex
from freezer.fetch.python.settings import indexes, with_options
from freezer.fetch.store.store import Store
from freezer.model.events import SilentReporter
from freezer.model.lock import Target
from freezer.model.spec.spec import PipSpec
from freezer.resolve.components.wheels import wheel_components
from freezer.resolve.python.interface import PipRequest, Resolution
from freezer.resolve.python.requirements.gather import gather
from freezer.resolve.python.resolve import resolve_pip
from tests.support.project.asking import TARGET, host_target

pytestmark = [pytest.mark.index, pytest.mark.timeout(600)]

FOLDER = Path(__file__).parents[2] / "data" / "requirements"
AS_OF = "2026-11-01T00:00:00Z"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(tmp_path_factory.mktemp("store"))


def asking(folder: Path, spec: PipSpec, target: Target = TARGET) -> PipRequest:
    gathered = gather(folder, spec)
    return PipRequest(
        target=target,
        requirements=tuple(gathered.requirements),
        constraints=tuple(gathered.constraints),
        as_of=AS_OF,
        indexes=with_options(indexes(Config()), gathered.options),
        allow_sdist=frozenset(spec.allow_sdist),
    )


def lock(name: str, store: Store, *allow_sdist: str) -> Resolution:
    request = asking(FOLDER, PipSpec(files=(f"{name}.txt",), allow_sdist=allow_sdist))
    return resolve_pip(request, "uv", store=store, report=SilentReporter())


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("openai-whisper", {"torch", "triton", "tiktoken", "numba"}),
        ("ultralytics-yolov5", {"torch", "ultralytics", "opencv-python", "gitpython"}),
        ("huggingface-pytorch-image-models", {"torch", "torchvision", "pyyaml"}),
        ("hpcaitech-colossalai", {"torch", "tensorboard", "pre-commit"}),
    ],
)
def test_files_that_lock(name: str, wanted: set[str], store: Store) -> None:
    found = {package.name: package for package in lock(name, store).packages}
    assert wanted | {"pip"} <= set(found)
    for package in found.values():
        assert package.file.endswith(".whl")
        assert set(package.requires) <= set(found)
        assert package.requested or "needed by" in package.reason
    assert found["numpy"].file.startswith("numpy-2.4.6-cp311-cp311-manylinux_2_27_x86_64")


@pytest.mark.parametrize(
    ("name", "place", "message", "hint"),
    [
        ("openai-clip", 5, "torch 1.7.1 has no wheel for Python 3.11", "use torch 1.13.0 or later"),
        (
            "openai-gpt-2",
            2,
            "absl-py 0.7.1 is published only as a source",
            "allow-sdist: [absl-py]",
        ),
        ("google-research-bert", 4, "jieba is published only as a source", "allow-sdist: [jieba]"),
        ("salesforce-blip", 4, "fairscale 0.4.4 is published only as a source", "allow-sdist"),
        ("salesforce-lavis", 5, "fairscale 0.4.4 is published only as a source", "allow-sdist"),
        ("tencentarc-gfpgan", 2, "basicsr .* is published only as a source", "allow-sdist"),
        ("tatsu-lab-stanford-alpaca", 9, "tokenizers 0.12.1 has no wheel", "tokenizers 0.13"),
        ("matterport-mask-rcnn", 8, "tensorflow 1.5.0 has no wheel", "use tensorflow 2.12.0"),
        (
            "automatic1111-stable-diffusion-webui",
            8,
            r"antlr4-python3-runtime .*\(needed by omegaconf\) is published only as a source",
            "allow-sdist: [antlr4-python3-runtime]",
        ),
    ],
)
def test_files_that_cannot_be_locked_for_this_target(
    name: str, place: int, message: str, hint: str, store: Store
) -> None:
    with pytest.raises(ResolveError, match=message) as caught:
        lock(name, store)
    assert str(caught.value.where) == f"{name}.txt:{place}"
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("stability-ai-stablediffusion", 17, "editable install"),
    ],
)
def test_files_that_no_lock_can_answer(name: str, place: int, message: str, store: Store) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        lock(name, store)
    assert str(caught.value.where) == f"{name}.txt:{place}"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("name", "place", "address"),
    [
        ("tloen-alpaca-lora", 12, "/huggingface/peft"),
        ("facebookresearch-mmf", 22, "/PyTorchLightning/pytorch-lightning"),
    ],
)
def test_requirements_from_git_are_kept_apart_to_be_built(
    name: str, place: int, address: str
) -> None:
    read = gather(FOLDER, PipSpec(files=(f"{name}.txt",)))
    [found] = [one for one in read.git if address in one.url]
    assert str(found.where) == f"{name}.txt:{place}"
    assert not [one for one in read.requirements if one.where == found.where]


def test_an_extra_index_out_of_reach_is_named(store: Store) -> None:
    with pytest.raises(FetchError, match="could not be read") as caught:
        lock("facebookresearch-dinov2", store)
    assert ".invalid" in str(caught.value)


def test_all_old_pins_are_named_at_once(store: Store) -> None:
    with pytest.raises(ResolveError) as caught:
        lock("openai-gpt-2", store)
    named = " ".join(caught.value.details)
    for pin in ("tensorflow==1.13.1", "numpy==1.16.2", "grpcio==1.19.0", "regex==2017.4.5"):
        assert pin in named


def test_a_source_distribution_that_is_allowed_locks(store: Store) -> None:
    """Repetitions of a line, old pins, and one package that only has its source."""
    found = lock("automatic1111-stable-diffusion-webui", store, "antlr4-python3-runtime")
    by_name = {package.name: package for package in found.packages}
    source = by_name["antlr4-python3-runtime"]
    assert source.file == "antlr4-python3-runtime-4.9.3.tar.gz"
    assert {item.name for item in source.build_requires} >= {"setuptools", "wheel"}
    assert by_name["einops"].reason.count("automatic1111") == 2


@pytest.mark.parametrize(
    ("line", "error", "message", "hint"),
    [
        ("sklearn", ResolveError, "sklearn .*source distribution", "write scikit-learn instead"),
        ("nunpy", ResolveError, "no index has a package called nunpy", "did you mean numpy?"),
        ("numpy==99", ResolveError, "no index has numpy 99", "choose one of these"),
        ("torch==2.0.0+cu118", ResolveError, "no index has torch", "--extra-index-url"),
        ("numpy>=2.5", ResolveError, "numpy .* does not run on Python 3.11", "use numpy 2.4.6"),
        ("numpy>=2.5.5", ResolveError, "was uploaded by 2026-11-01", "later `as-of`"),
    ],
)
def test_single_mistakes(
    line: str, error: type[FreezerError], message: str, hint: str, store: Store, tmp_path: Path
) -> None:
    request = asking(tmp_path, PipSpec(requirements=(line,)))
    with pytest.raises(error, match=message) as caught:
        resolve_pip(request, "uv", store=store, report=SilentReporter())
    assert hint in str(caught.value.hint)


def test_a_true_conflict(store: Store, tmp_path: Path) -> None:
    request = asking(tmp_path, PipSpec(requirements=("tensorflow==2.15.0", "numpy==2.0.0")))
    with pytest.raises(ResolveError, match="these requirements conflict") as caught:
        resolve_pip(request, "uv", store=store, report=SilentReporter())
    assert "numpy==2.0.0 is requested in freeze.yaml" in " ".join(caught.value.details)


def test_uv_and_pip_tools_agree(store: Store, tmp_path: Path) -> None:
    spec = PipSpec(requirements=("scikit-learn>=1.4", "requests[socks]", "matplotlib"))
    request = asking(tmp_path, spec, host_target())
    answers = [
        resolve_pip(request, name, store=store, report=SilentReporter()).packages
        for name in ("uv", "pip-tools")
    ]
    assert answers[0] == answers[1]


def test_the_same_question_gets_the_same_answer(store: Store, tmp_path: Path) -> None:
    request = asking(tmp_path, PipSpec(requirements=("pandas", "scikit-learn")))
    first, second = (
        resolve_pip(request, "uv", store=store, report=SilentReporter()) for _ in range(2)
    )
    assert first == second


def test_what_wheels_bring_is_told_without_fetching_them(store: Store, tmp_path: Path) -> None:
    request = asking(tmp_path, PipSpec(requirements=("numpy==2.4.6", "scikit-learn==1.9.1")))
    packages = resolve_pip(request, "uv", store=store, report=SilentReporter()).packages
    found = wheel_components(
        packages,
        target=TARGET,
        index=PythonIndex(request.indexes),
        store=store,
        report=SilentReporter(),
    )
    told = {(item.role, item.name, item.version, item.provider) for item in found}
    assert ("blas", "OpenBLAS", "0.3.31.188.0", "pip:numpy") in told
    assert ("compiler", "gcc", "14.2.1", "pip:numpy") in told
    assert ("openmp", "libgomp", "GOMP_5.0", "pip:scikit-learn") in told
    assert not any(store.has(package.sha256) for package in packages)
