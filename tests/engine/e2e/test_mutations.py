"""One thing changed at a time in the built-in training, inside a real image: each is noticed.

The other frameworks, other versions and another BLAS: ``python -m benchmarks mutations``.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from commands import Project

from freezer.check.compare import compare
from freezer.check.reference import read_reference
from freezer.engine.interface import Engine, ImageInfo, RunOptions
from freezer.model.protocol import PREFIX, parse_lines
from freezer.model.record import Record, Training
from freezer.model.verdict import Compared, Word

pytestmark = [pytest.mark.engine, pytest.mark.index, pytest.mark.archive]

UNCHANGED = ("nothing", "nothing, again", "nothing, and again")
MUTATIONS = {
    **dict.fromkeys(UNCHANGED, ""),
    "one bit of a first weight": """
first = t.weights
def weights(seed):
    found = first(seed)
    found["w1"].view("u4")[0, 0] ^= 1
    return found
t.weights = weights
""",
    "one bit of a last weight": """
tell = Recorder.tensor
def tensor(self, name, array, step=0, **how):
    if (name, step) == ("w1", 24):
        array = array.copy()
        array.view("u4")[63, 255] ^= 1
    tell(self, name, array, step, **how)
Recorder.tensor = tensor
""",
    "one label": """
make = trainer.classification
def classification(*arguments):
    data = make(*arguments)
    data.labels[5] = (data.labels[5] + 1) % 10
    return data
trainer.classification = classification
""",
    "two samples": """
make = trainer.classification
def classification(*arguments):
    data = make(*arguments)
    rows, width = data.features, data.columns
    rows[:width], rows[width:2 * width] = rows[width:2 * width], rows[:width]
    data.labels[:2] = data.labels[1::-1]
    return data
trainer.classification = classification
""",
    "the order": """
shuffle = trainer.shuffled
def shuffled(*arguments):
    rows = shuffle(*arguments)
    rows[0], rows[600] = rows[600], rows[0]
    return rows
trainer.shuffled = shuffled
""",
    "the learning rate, by one ulp": "t.RATE = t.np.nextafter(t.RATE, t.np.float32(1))",
    "the seed": "os.environ['FREEZER_SEED'] = '4321'",
    "the type": "t.KEEP, t.RATE = t.np.float64(t.KEEP), t.np.float64(t.RATE)",
    "a line that is missing": """
tell = Recorder.loss
Recorder.loss = lambda self, step, *told: None if step == 7 else tell(self, step, *told)
""",
    "no end": "Recorder.end = lambda self: None",
    "silence": "Recorder._write = lambda self, line: None",
}
"""What is done before the training begins, with its module as ``t``."""
SWITCHES = {
    "threads": {"OPENBLAS_NUM_THREADS": "3", "OMP_NUM_THREADS": "3"},
    "a flag": {"MKL_DYNAMIC": "TRUE"},
    "the BLAS kernels": {"OPENBLAS_CORETYPE": "Nehalem"},
    "NumPy's own kernels": {
        "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512_SKX X86_V4 X86_V3 AVX2 FMA3"
    },
}
"""What is set before Python begins; libraries read it when they are loaded."""

DRIVER = """
import json, os, subprocess, sys
for name, (code, environment) in json.loads(sys.argv[1]).items():
    print("@", name, flush=True)
    start = "import os; from freezer_inside import numpy_training as t, trainer\\n"
    start += "from freezer_inside.record import Recorder\\n"
    subprocess.run([sys.executable, "-W", "ignore", "-c", start + code + "\\nt.main()"],
                   env={**os.environ, **environment})
"""


@pytest.fixture(scope="module")
def told(engine: Engine, built: Project, image: ImageInfo) -> Mapping[str, tuple[Training, ...]]:
    """Return what the training told under each mutation, from one container."""
    plan: dict[str, Any] = {name: [code, {}] for name, code in MUTATIONS.items()}
    plan.update({name: ["", environment] for name, environment in SWITCHES.items()})
    options = RunOptions(cpus=2, memory="1g", timeout=200)
    command = ["/opt/env/bin/python", "-c", DRIVER, json.dumps(plan)]
    result = engine.run(image.id, command, options)
    assert result.exit_code == 0, result.stderr.decode()
    found: dict[str, list[bytes]] = {}
    lines: list[bytes] = []
    for line in result.stdout.splitlines():
        if line.startswith(b"@ "):
            lines = found.setdefault(line[2:].decode(), [])
        elif line.startswith(PREFIX):
            lines.append(line)
    return {name: parse_lines(told)[1] for name, told in found.items()}


@pytest.fixture(scope="module")
def reference(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Return the reference that ``freeze check`` recorded of the same image."""
    project = built.copy(tmp_path_factory.mktemp("mutations") / "project")
    project.freeze("check").good()
    [path] = project.references
    record = read_reference(path, path.name)
    assert record is not None
    return record


Told = Mapping[str, tuple[Training, ...]]


def judged(name: str, reference: Record, told: Told) -> Compared:
    found = reference.model_copy(update={"trainings": told[name]})
    [one] = compare(reference, found).trainings
    return one


@pytest.mark.parametrize("name", UNCHANGED)
def test_nothing_changed_is_identical(reference: Record, told: Told, name: str) -> None:
    assert judged(name, reference, told).word is Word.IDENTICAL


@pytest.mark.parametrize(
    ("name", "what", "found"),
    [
        ("one bit of a first weight", "data 'first w1'", {}),
        (
            "one bit of a last weight",
            "w1 at step 24",
            {"differing": 1, "place": "between elements [63, 0] and [63, 255]"},
        ),
        ("one label", "data 'labels'", {}),
        ("two samples", "data 'features'", {}),
        ("the order", "data 'order'", {}),
        ("a flag", "setting of MKL_DYNAMIC", {"expected": "FALSE", "found": "TRUE"}),
        ("the seed", "random numbers 'random'", {}),
        ("a line that is missing", "loss at step 7", {"found": "not told", "differing": 1}),
    ],
)
def test_each_change_is_drift_from_where_it_begins(
    reference: Record, told: Told, name: str, what: str, found: dict[str, Any]
) -> None:
    one = judged(name, reference, told)
    assert one.word is Word.DRIFTED
    assert one.first is not None
    assert one.first.what == what
    assert {key: getattr(one.first, key) for key in found} == found


def test_another_number_of_threads_is_named(reference: Record, told: Told) -> None:
    found = reference.model_copy(update={"trainings": told["threads"]})
    verdict = compare(reference, found)
    assert verdict.word is Word.DRIFTED
    assert "numpy: setting OMP_NUM_THREADS is 3, was 1" in verdict.causes


def test_one_ulp_of_the_learning_rate_is_seen_with_the_next_weights(
    reference: Record, told: Told
) -> None:
    one = judged("the learning rate, by one ulp", reference, told)
    assert one.word is Word.DRIFTED
    assert one.first is not None
    assert one.first.step == 1


@pytest.mark.parametrize("name", ["the type", "the BLAS kernels", "NumPy's own kernels"])
def test_other_arithmetic_is_seen_before_the_end(
    engine: Engine, reference: Record, told: Told, name: str
) -> None:
    if name != "the type" and engine.info.architecture != "x86_64":
        pytest.skip("these kernels are those of x86-64")
    one = judged(name, reference, told)
    assert one.word is Word.DRIFTED
    assert one.first is not None
    assert one.first.differing > 10


@pytest.mark.parametrize(
    ("name", "why"), [("no end", "recorder.end()"), ("silence", "did not run")]
)
def test_a_record_that_breaks_off_is_no_pass(
    reference: Record, told: Told, name: str, why: str
) -> None:
    one = judged(name, reference, told)
    assert one.word is Word.FAILED
    assert why in (one.reason or "")
