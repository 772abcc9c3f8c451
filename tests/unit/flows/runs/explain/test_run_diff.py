"""Why two runs differ, and where their results part."""

from __future__ import annotations

import math

import pytest

from freezer.flows.runs.explain.contrast import contrast, varying
from freezer.flows.runs.explain.divergence import results
from freezer.ledger.series import Points
from freezer.model.record.run import Digest, Output, Run, Time, Value

BASE: dict[str, Value] = {
    "seed": 1,
    "params.lr": 0.1,
    "data.train": Digest("sha256:" + "a" * 64),
    "data.train.list": Digest("b" * 64),
    "git.commit": Digest("c" * 40),
    "lock": Digest("d" * 64),
    "image": Digest("sha256:" + "e" * 64),
    "settings.OMP_NUM_THREADS": "1",
    "host.class": "x86-64-v3-haswell",
    "host.name": "one",
    "template": "train.py {lr}",
}


def run(command: str = "train.py 0.1", outputs: tuple[Output, ...] = (), **more: Value) -> Run:
    fields = {**BASE, **{name.replace("__", "."): value for name, value in more.items()}}
    return Run(
        "0" * 16,
        "demo",
        "finished",
        Time(1),
        tuple(command.split()),
        fields=fields,
        outputs=outputs,
    )


@pytest.mark.parametrize(
    ("changed", "name", "level"),
    [
        ({"seed": 2}, "seed", "certain"),
        ({"params__lr": 0.1, "command": "train.py 0.1"}, None, None),
        ({"params__lr": 0.2, "command": "train.py 0.2"}, "params.lr", "certain"),
        ({"data__train": Digest("f" * 64)}, "data.train", "certain"),
        ({"git__patch": Digest("f" * 64)}, "git.patch", "likely"),
        ({"git__commit": Digest("f" * 40)}, "git.commit", "likely"),
        ({"lock": Digest("f" * 64), "image": Digest("f" * 64)}, "lock", "likely"),
        ({"image": Digest("f" * 64)}, "image", "possible"),
        ({"settings__OMP_NUM_THREADS": "2"}, "settings.OMP_NUM_THREADS", "likely"),
        ({"host__class": "x86-64-v4"}, "host.class", "likely"),
        ({"host__name": "two"}, "host.name", "unlikely"),
        ({"command": "train.py 0.1 -v", "template": "train.py {lr} -v"}, "template", "certain"),
    ],
)
def test_a_changed_field_is_the_first_cause(changed, name, level) -> None:
    causes = contrast(run(), run(**changed))
    assert [one.name for one in causes] == ([] if name is None else [name])
    assert [one.level for one in causes] == ([] if level is None else [level])


def test_the_likeliest_cause_comes_first() -> None:
    changed = run(seed=2, host__name="two", settings__OMP_NUM_THREADS="2", image=Digest("f" * 64))
    names = [one.name for one in contrast(run(), changed)]
    assert names == ["seed", "settings.OMP_NUM_THREADS", "image", "host.name"]


SAME = Digest("7" * 64)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        # A new lock is committed with its spec: the code is the same.
        (
            {"git__files": SAME},
            {"git__files": SAME, "git__patch": Digest("f" * 64), "lock": Digest("f" * 64)},
            ["lock", "git.patch"],
        ),
        (
            {"git__files": SAME},
            {"git__files": Digest("8" * 64), "git__patch": Digest("f" * 64), "lock": Digest("f" * 64)},
            ["git.patch", "lock"],
        ),
        # What the training reported follows from what it was given ...
        (
            {"given__lr": "0.1", "params__a": 1, "data__batches": SAME},
            {"given__lr": "0.2", "params__lr": 0.2, "params__a": 2, "data__batches": Digest("8" * 64)},
            ["params.lr", "params.a", "data.batches"],
        ),
        (
            {"given__lr": "0.1", "params__init": 0.1, "command": "train.py 0.1"},
            {"given__lr": "0.2", "params__lr": 0.2, "params__init": 0.2, "command": "train.py 0.2"},
            ["params.lr", "params.init"],
        ),
        ({"params__random_state": 1}, {"params__random_state": 2, "seed": 2}, ["seed", "params.random_state"]),
        ({"params__tol": 1}, {"params__tol": 2, "lock": Digest("f" * 64)}, ["lock", "params.tol"]),
        ({"versions__numpy": "1"}, {"versions__numpy": "2", "lock": Digest("f" * 64)}, ["lock", "versions.numpy"]),
        # ... but it says what a change of the code did.
        ({"params__a": 1}, {"params__a": 2, "git__patch": Digest("f" * 64)}, ["params.a", "git.patch"]),
        ({"params__a": 1}, {"params__a": 2}, ["params.a"]),
    ],
)  # fmt: skip
def test_causes_come_before_their_consequences(old, new, names) -> None:
    causes = contrast(run(**old), run(**new))
    assert [one.name for one in causes] == names
    assert len({one.level for one in causes}) == 1 or causes[0].level != causes[-1].level


def test_a_number_and_its_text_are_not_the_same() -> None:
    assert contrast(run(params__lr=1), run(params__lr="1"))[0].name == "params.lr"
    assert contrast(run(params__x=math.nan), run(params__x=math.nan)) == []


def test_several_runs_show_what_varies() -> None:
    assert varying([run(), run(seed=2), run(seed=3)]) == {"seed": [1, 2, 3]}
    assert varying([run(), run()]) == {}


def points(*values: float) -> Points:
    return Points.of([(step, step, value) for step, value in enumerate(values)])


def test_divergence_has_first_step_distance_and_growth() -> None:
    found = results(
        run(), run(),
        {"metrics.loss": points(1.0, 0.5, 0.25), "metrics.same": points(math.nan, -0.0)},
        {"metrics.loss": points(1.0, 0.5000000000000001, 0.26), "metrics.same": points(math.nan, -0.0)},
    )  # fmt: skip
    [one] = found.parted
    assert (one.name, one.step, one.distance.ulps) == ("metrics.loss", 1, 1)
    assert one.last.relative == pytest.approx(0.04)
    assert found.same == ("metrics.same",)
    assert not found.identical


def test_a_sign_of_zero_is_a_difference() -> None:
    found = results(run(), run(), {"m": points(0.0)}, {"m": points(-0.0)})
    assert found.parted[0].distance.note == "the signs of zero differ"


def test_without_a_comparison_nothing_is_identical() -> None:
    found = results(run(), run(), {}, {})
    assert (found.compared, found.identical) == (0, False)


def test_fewer_values_and_other_files_are_differences() -> None:
    one = Output("a.pt", 1, "1" * 64, content="9" * 64)
    alike = Output("a.pt", 1, "2" * 64, content="9" * 64)
    other = Output("b.txt", 1, "3" * 64)
    found = results(run(outputs=(one,)), run(outputs=(alike,)), {"m": points(1)}, {"m": points(1)})
    assert found.identical, "the content is the same, whatever clock the bytes hold"
    assert not results(run(outputs=(one,)), run(outputs=(alike, other)), {}, {}).identical
    assert results(run(), run(), {"m": points(1, 2)}, {"m": points(1)}).missing == ("m",)
    last = results(run(metrics__acc=0.5), run(metrics__acc=0.6), {}, {})
    assert last.parted[0].step is None


def _output(path: str, sha256: str, content: str | None = None) -> Output:
    return Output(path, 1, sha256 * 64, content, "npy" if content else None)


@pytest.mark.parametrize(
    ("mine", "its", "same", "differ", "missing"),
    [
        ([_output("a.npy", "1")], [_output("a.npy", "1", "c")], ("a.npy",), (), ()),
        ([_output("a.npy", "1", "c")], [_output("a.npy", "2", "c")], ("a.npy",), (), ()),
        ([_output("a.npy", "1", "c")], [_output("a.npy", "2", "d")], (), ("a.npy",), ()),
        ([_output("a.npy", "1")], [_output("a.npy", "2", "c")], (), ("a.npy",), ()),
        ([_output(f"s/{'a' * 32}-0.parquet", "1")], [_output(f"s/{'b' * 32}-0.parquet", "1")], ("s/*-0.parquet",), (), ()),
        ([_output(f"s/{'a' * 32}-0.parquet", "1")], [_output(f"s/{'b' * 32}-0.parquet", "2")], (), ("s/*-0.parquet",), ()),
        ([_output(f"{n * 32}.csv", n) for n in "ab"], [_output(f"{n * 32}.csv", m) for n, m in ("cb", "da")], ("*.csv",), (), ()),
        ([_output(f"{n * 32}.csv", n) for n in "ab"], [_output(f"{n * 32}.csv", n) for n in "a"], (), ("*.csv",), ()),
        ([_output("a", "1")], [_output("b", "1")], (), (), ("a", "b")),
    ],
)  # fmt: skip
def test_outputs_are_compared_by_content_and_paired_without_random_name_parts(
    mine, its, same, differ, missing
) -> None:
    first, second = (
        Run(name * 16, "demo", "finished", Time(0), outputs=tuple(files))
        for name, files in (("a", mine), ("b", its))
    )
    found = results(first, second, {}, {})
    assert (found.outputs_same, found.outputs_differ, found.outputs_missing) == (
        same,
        differ,
        missing,
    )
