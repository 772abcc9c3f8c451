"""The page of settings shows the tables that the code goes by, row by row."""

from pathlib import Path

import pytest

from freezer.inside.freezer_inside.determinism import NUMERICS, SEED, pinned, table
from freezer.inside.freezer_inside.switches import SWITCHES, WITHOUT, throw

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "determinism.md"


def link(source):
    return f"[source]({source})" if source.startswith("https://") else source


def variables(*, portable):
    """Return the rows of variables: those of every image, or those of portable numerics."""
    return [
        f"| `{row.name}` | `{row.value}` | {row.why} | {link(row.source)} |".replace("`977`", "N")
        for row in table(1234, 977, "portable")
        if (row.name in pinned()) is portable and row.name not in (SEED, NUMERICS)
    ]


def switches():
    return [
        f"| {row.framework} | `{row.name}`{', on GPUs' if row.gpu else ''} | `{row.value}` "
        f"| {row.why} | {link(row.source)} |"
        for row in SWITCHES
    ]


@pytest.mark.parametrize(
    "rows", [variables(portable=False), variables(portable=True), switches()], ids=len
)
def test_the_page_has_every_row_in_order(rows):
    text = PAGE.read_text()
    block = "\n".join(rows)
    assert block in text, f"docs/reference/determinism.md should have:\n{block}"


def test_a_switch_has_one_name_a_reason_and_a_source():
    titles = [row.title for row in SWITCHES]
    assert len(set(titles)) == len(titles)
    for row in SWITCHES:
        assert row.why
        assert row.source.startswith("https://")


class OldTorch:
    """As much of PyTorch before 2.9 as the switches touch."""

    def __init__(self):
        cuda = type("Cuda", (), {"matmul": type("Matmul", (), {"allow_tf32": True})()})()
        cudnn = type("Cudnn", (), {"deterministic": False, "benchmark": True, "allow_tf32": True})
        self.backends = type("Backends", (), {"cudnn": cudnn(), "cuda": cuda})()
        self.utils = object()
        self.on = False

    def use_deterministic_algorithms(self, on):
        self.on = on

    def are_deterministic_algorithms_enabled(self):
        return self.on


class Precision:
    """A place where PyTorch keeps a precision; some did not take that of the whole."""

    def __init__(self, precision="tf32"):
        self.fp32_precision = precision


class Torch(OldTorch):
    """PyTorch 2.9 to 2.12: what is set of all backends does not reach cuDNN's operations."""

    def __init__(self):
        super().__init__()
        self.backends.fp32_precision = "none"
        self.backends.cuda.matmul = Precision("ieee")
        self.backends.cudnn.conv, self.backends.cudnn.rnn = Precision(), Precision()


def test_convolutions_are_not_rounded_where_the_switch_for_all_does_not_reach_them():
    assert throw("torch", Torch())["torch: float32 precision on CUDA"] == "ieee"


def test_each_switch_is_set_and_read_back_from_the_framework():
    assert throw("torch", OldTorch()) == {
        "torch: deterministic algorithms": "True",
        "torch: fill uninitialized memory": "None",
        "torch: cudnn.deterministic": "True",
        "torch: cudnn.benchmark": "False",
        "torch: float32 precision on CUDA": "ieee",
    }


def test_what_an_audit_leaves_out_reads_as_the_framework_has_it(monkeypatch):
    monkeypatch.setenv(WITHOUT, "torch: deterministic algorithms,torch: float32 precision on CUDA")
    found = throw("torch", OldTorch())
    assert found["torch: deterministic algorithms"] == "False"
    assert found["torch: float32 precision on CUDA"] == "tf32"
    assert found["torch: cudnn.deterministic"] == "True"
