"""The settings of every image: one table, each row with its reason and its source."""

from freezer.inside.freezer_inside.determinism import (
    SEED,
    in_force,
    settings,
    table,
)


def test_every_row_says_why_and_where_that_is_written():
    for row in table(1, 2):
        assert row.why
        assert row.source.startswith("https://") or row.name == SEED


def test_no_name_is_there_twice():
    names = [row.name for row in table(1, 2)]
    assert len(set(names)) == len(names)


def test_what_is_set():
    assert settings(seed=7, threads=3) == {
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "3",
        "OPENBLAS_NUM_THREADS": "3",
        "MKL_NUM_THREADS": "3",
        "BLIS_NUM_THREADS": "3",
        "NUMEXPR_NUM_THREADS": "3",
        "OMP_DYNAMIC": "FALSE",
        "MKL_DYNAMIC": "FALSE",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "NVIDIA_TF32_OVERRIDE": "0",
        "FREEZER_SEED": "7",
    }


def test_only_what_is_really_set_is_in_force(monkeypatch):
    for name in settings(1, 1):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setenv("HOME", "/secret")
    assert in_force() == {"OMP_NUM_THREADS": "5"}
