"""What chooses kernels beside a BLAS is in a host's numerics class."""

import pytest

from freezer.inside.freezer_inside import kernels
from freezer.inside.freezer_inside.nvml import Gpu


@pytest.fixture
def installed(monkeypatch):
    names = set()
    monkeypatch.setattr(kernels, "find_spec", lambda name: name if name in names else None)
    monkeypatch.setattr(kernels, "caches", lambda: ["32k", "1024k"])
    monkeypatch.setattr(kernels, "gpus", list)
    return names


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("numpy", []),
        ("torch", ["amd"]),
        ("jaxlib", ["cache-32k-1024k"]),
        ("tensorflow", ["cache-32k-1024k"]),
    ],
)
def test_a_class_has_what_the_installed_frameworks_go_by(installed, package, expected):
    installed.add(package)
    assert kernels.further_kernels({"vendor_id": "AuthenticAMD"}) == expected


def test_a_maker_that_is_not_known_is_another_one(installed):
    installed.add("torch")
    assert kernels.further_kernels({}) == ["other"]


def test_caches_are_those_of_data_nearest_first(tmp_path):
    made = [("Unified", "2", "1024K"), ("Data", "1", "32K"), ("Instruction", "1", "64K")]
    for number, texts in enumerate(made):
        folder = tmp_path / f"index{number}"
        folder.mkdir()
        for name, text in zip(("type", "level", "size"), texts, strict=True):
            (folder / name).write_text(f"{text}\n")
    assert kernels.caches(f"{tmp_path}/index*") == ["32k", "1024k"]


def test_gpus_are_named_once_by_model_and_fit_a_file_name(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels.nvml, "ask", lambda: None)
    for bus, model in (("a", "NVIDIA H100 80GB HBM3"), ("b", "NVIDIA H100 80GB HBM3")):
        (tmp_path / bus).mkdir()
        (tmp_path / bus / "information").write_text(f"Model: \t\t {model}\nIRQ: 1\n")
    assert kernels.gpus(f"{tmp_path}/*/information") == ["nvidia-h100-80gb-hbm3"]
    assert kernels.gpus(f"{tmp_path}/none/*") == []
    told = [Gpu("580", "9.0", "NVIDIA H200"), Gpu("580", "9.0", "NVIDIA H200")]
    monkeypatch.setattr(kernels.nvml, "ask", lambda: told)
    assert kernels.gpus(f"{tmp_path}/*/information") == ["nvidia-h200"]
