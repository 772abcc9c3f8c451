"""Each format of output files with the real library: other bytes, the same content; and not more."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from freezer.check.artifacts.content import FORMATS, content_digest
from freezer.check.artifacts.names import stable_path
from tests.support.python.find_links import local_torch

pytestmark = pytest.mark.index
PACKAGES = ["numpy==2.4.6", "pandas==3.1.1", "safetensors==0.8.0", "lightgbm==4.7.0", "catboost==1.2.10",
            "tensorboardX==2.6.5", "h5py==3.16.0", "tables==3.11.1", "duckdb==2.0.1",
            "sentencepiece==0.2.3", "keras==3.15.1", "jax==0.10.2", "pyarrow==26.0.1",
            "joblib==1.6.0", "scikit-learn==1.9.1"]  # fmt: skip
MAKE = {
    "hdf5": """
import h5py
with h5py.File(out + "x.h5", "w", libver=["earliest", "latest"][int(out.endswith("latest/"))]) as file:
    data = file.create_dataset("g/x", data=numpy.arange(1000.0) + changed, track_times=True,
        chunks=(100,), compression="gzip")
    data.attrs["a"] = 3
    for n in range(20):
        file.create_dataset(f"d{n}", data=n, track_times=True)
""",
    "duckdb": """
import duckdb
connection = duckdb.connect(out + "x.duckdb")
connection.execute(f"create table t as select range i, i * 2 + {changed} j from range(1000)")
connection.close()
""",
    "onnx": """
import catboost
model = catboost.CatBoostRegressor(iterations=3, verbose=0, allow_writing_files=False, learning_rate=0.1 + changed / 10)
model.fit(X, y).save_model(out + "x.onnx", format="onnx")
""",
    "sentencepiece": """
import sentencepiece
corpus = pathlib.Path(out) / "corpus.txt"
corpus.write_text("\\n".join(f"hello world this is line {n} of the corpus {'other' * changed}" for n in range(200)))
sentencepiece.SentencePieceTrainer.train(input=str(corpus), model_prefix=out + "x", vocab_size=45,
    num_threads=1, minloglevel=2)
corpus.unlink(); (pathlib.Path(out) / "x.vocab").unlink()
""",
    "keras": """
os.environ["KERAS_BACKEND"] = "jax"
import keras
keras.utils.set_random_seed(1 + changed)
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(4), keras.layers.Dense(1)])
model.save(out + "x.keras")
""",
    "pickle": """
import joblib
from sklearn.ensemble import RandomForestClassifier
model = RandomForestClassifier(n_estimators=3, random_state=changed).fit(X, y > 0)
joblib.dump(model, out + "x.joblib")
if run == 1:
    joblib.dump(joblib.load(out + "x.joblib"), out + "x.joblib")
""",
    "npy": """
import numpy.lib.format
with open(out + "x.npy", "wb") as file:
    numpy.lib.format.write_array(file, X + changed, version=(1 + (run == 1), 0))
""",
    "npz": """
[numpy.savez, numpy.savez_compressed][run == 1](out + "x.npz", a=X + changed, b=y)
""",
    "safetensors": """
from safetensors.numpy import save_file
save_file({"a": numpy.arange(4.0) + changed, "b": numpy.ones(3)}, out + "x.safetensors",
    metadata={str(k): "v" for k in range(9)})
""",
    "lightgbm-text": """
import lightgbm
data = lightgbm.Dataset(X, y)
params = {"verbose": -1, "num_threads": 1 + run, "deterministic": True, "learning_rate": 0.1 + changed / 10}
lightgbm.train(params, data, 3).save_model(out + "x.txt")
""",
    "catboost-cbm": """
import catboost
model = catboost.CatBoostRegressor(iterations=3, verbose=0, allow_writing_files=False, learning_rate=0.1 + changed / 10)
model.fit(X, y).save_model(out + "x.cbm")
""",
    "catboost-json": """
import catboost
model = catboost.CatBoostRegressor(iterations=3, verbose=0, allow_writing_files=False, learning_rate=0.1 + changed / 10)
model.fit(X, y).save_model(out + "x.json", format="json")
""",
    "tensorboard": """
from tensorboardX import SummaryWriter
with SummaryWriter(out) as writer:
    for step in range(5):
        writer.add_scalar("loss", step / 3 + changed, step)
""",
    "gzip": """
import pandas
pandas.DataFrame({"a": [1, 2, 3 + changed]}).to_csv(out + "x.csv.gz", compression="gzip")
""",
    "tar": """
import io, tarfile
with tarfile.open(out + "x.tar.gz", "w:gz") as archive:
    for name in ("a", "b"):
        info = tarfile.TarInfo(name); info.size = 1; info.mtime = time.time()
        archive.addfile(info, io.BytesIO(b"y" if changed else b"x"))
""",
    "zip": """
import zipfile
path = pathlib.Path(out) / "member"; path.write_bytes(b"y" if changed else b"x")
with zipfile.ZipFile(out + "x.zip", "w") as archive:
    archive.write(path, "member")
path.unlink()
""",
}
HEAD = """
import os, pathlib, sys, time, numpy
run, changed, out = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] + "/"
X = numpy.random.default_rng(0).normal(size=(200, 3)); y = X[:, 0] * 2
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts") / "env"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    subprocess.run([*install, *PACKAGES], check=True)
    return folder / "bin" / "python"


def made(
    python: Path,
    script: str,
    folder: Path,
    run: int,
    *,
    changed: bool = False,
    folder_name: str | None = None,
) -> Path:
    out = folder / (folder_name or f"{run}{int(changed)}")
    out.mkdir()
    subprocess.run(
        [str(python), "-c", HEAD + script, str(run), str(int(changed)), str(out)],
        check=True,
        env={"TZ": f"Etc/GMT+{run}", "PATH": "/usr/bin:/bin"},
    )
    [path] = out.iterdir()
    return path


@pytest.mark.parametrize("name", MAKE)
def test_equal_content_has_one_digest_and_other_content_another(
    python: Path, tmp_path: Path, name: str
) -> None:
    first = made(python, MAKE[name], tmp_path, 0)
    time.sleep(1.1)  # clocks of whole seconds
    second = made(python, MAKE[name], tmp_path, 1)
    other = made(python, MAKE[name], tmp_path, 2, changed=True)
    assert first.read_bytes() != second.read_bytes(), "the library writes equal bytes by now"
    digests = [content_digest(path) for path in (first, second, other)]
    assert digests[0] is not None
    assert digests[0][0] == name
    assert digests[0] == digests[1]
    assert digests[2] is not None
    assert digests[2][1] != digests[0][1]


@pytest.fixture(scope="module")
def torch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a Python with PyTorch's CPU build, where a folder of wheels on this host has it."""
    wheel = local_torch()
    if wheel is None:
        pytest.skip("no CPU build of PyTorch in pip's find-links")
    folder = tmp_path_factory.mktemp("torch") / "env"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", str(python), "numpy==2.4.6", str(wheel)],
        check=True,
    )
    return python


def test_a_file_of_pytorch_does_not_depend_on_its_name(torch: Path, tmp_path: Path) -> None:
    script = "import torch; torch.save({'w': torch.arange(4.0) + changed}, out + f'model{run}.pt')"
    first, second = (made(torch, script, tmp_path, run) for run in (0, 1))
    other = made(torch, script, tmp_path, 2, changed=True)
    assert first.read_bytes() != second.read_bytes()
    assert content_digest(first) == content_digest(second)
    assert content_digest(first)[0] == "pytorch-zip"  # type: ignore[index]
    assert content_digest(other)[1] != content_digest(first)[1]  # type: ignore[index]


def test_pandas_writes_times_into_hdf5(python: Path, tmp_path: Path) -> None:
    script = "import pandas; pandas.DataFrame({'a': [1, 2 + changed]}).to_hdf(out + 'x.h5', key='t', format='table')"
    first = made(python, script, tmp_path, 0)
    time.sleep(1.1)
    second, other = (
        made(python, script, tmp_path, 1),
        made(python, script, tmp_path, 2, changed=True),
    )
    assert first.read_bytes() != second.read_bytes()
    assert content_digest(first) == content_digest(second)
    assert content_digest(other) != content_digest(first)


def test_headers_of_the_second_version_hold_times_too(python: Path, tmp_path: Path) -> None:
    files = []
    for run in (0, 1):
        (tmp_path / str(run)).mkdir()
        files.append(made(python, MAKE["hdf5"], tmp_path / str(run), run, folder_name="latest"))
        time.sleep(1.1)
    assert b"OHDR" in files[0].read_bytes()
    assert files[0].read_bytes() != files[1].read_bytes()
    assert content_digest(files[0]) == content_digest(files[1])


PICKLED = {
    "forest": "RandomForestClassifier(n_estimators=3, random_state=changed).fit(X, y > 0)",
    "pipeline": "make_pipeline(StandardScaler(), LogisticRegression(C=1.0 + changed)).fit(X, y > 0)",
    "neighbours": "KNeighborsClassifier(3 + changed).fit(X, y > 0)",
    "vectorizer": "TfidfVectorizer().fit(['hello world ' + 'other' * changed, 'the cat'])",
    "frame": "pandas.DataFrame({'a': [1, 2 + changed], 'b': ['x', 'y']})",
    "objects": "numpy.array(['a', {'b': 1 + changed}, None], dtype=object)",
    "rows": "numpy.array([(1 + changed, 2.5)] * 3, dtype=numpy.dtype([('a', 'u1'), ('b', 'f8')], align=True))",
    "set": "{'s': frozenset(['a', 'the', 'dd']), 'n': changed}",
}


@pytest.mark.parametrize("protocol", ["joblib", 2, 4, 5])
def test_pickles_of_equal_objects_are_equal_in_every_process(
    python: Path, tmp_path: Path, protocol: str | int
) -> None:
    script = f"""
import joblib, pandas, pickle
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
folder = pathlib.Path(out) / "models"; folder.mkdir()
for name, text in {PICKLED!r}.items():
    model = eval(text)
    for _ in range(1 + (run == 1)):
        if {protocol!r} == "joblib":
            joblib.dump(model, folder / (name + ".joblib")); model = joblib.load(folder / (name + ".joblib"))
        else:
            data = pickle.dumps(model, {protocol!r}); model = pickle.loads(data)
            (folder / (name + ".pkl")).write_bytes(data)
"""
    first, second = (made(python, script, tmp_path, run) for run in (0, 1))
    other = made(python, script, tmp_path, 2, changed=True)
    paths = sorted(first.iterdir())
    assert len(paths) == len(PICKLED)
    for path in paths:
        found = content_digest(path)
        assert found is not None
        assert found[0] == "pickle"
        assert content_digest(second / path.name) == found, path.name
        assert content_digest(other / path.name) != found, path.name
    equal = [path.read_bytes() == (second / path.name).read_bytes() for path in paths]
    assert not all(equal), "the libraries write equal bytes by now"


def test_files_of_a_partitioned_data_set_are_paired_by_what_stays(
    python: Path, tmp_path: Path
) -> None:
    script = "import pandas; pandas.DataFrame({'a': [1, 2, 3], 'part': [0, 0, 1]}).to_parquet(out + 'set', partition_cols=['part'])"
    folders = [made(python, script, tmp_path, run) for run in (0, 1)]
    names = [
        sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet"))
        for folder in folders
    ]
    assert names[0] != names[1]
    assert [*map(stable_path, names[0])] == [*map(stable_path, names[1])]
    assert [*map(stable_path, names[0])] == ["part=0/*-0.parquet", "part=1/*-0.parquet"]


def test_event_files_are_paired_by_what_stays(python: Path, tmp_path: Path) -> None:
    first = made(python, MAKE["tensorboard"], tmp_path, 0)
    time.sleep(1.1)
    second = made(python, MAKE["tensorboard"], tmp_path, 1)
    assert first.name != second.name
    assert stable_path(first.name) == stable_path(second.name)


def test_every_format_is_tried_here_or_by_a_file_of_its_form() -> None:
    assert {one.name for one in FORMATS} == {*MAKE, "pytorch-zip"}
