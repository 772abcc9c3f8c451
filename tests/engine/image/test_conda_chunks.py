"""A real conda environment in a container: linked on the host, compiled by its own Python."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from freezer.engine.interface import Engine, LayerFile, RunOptions
from freezer.errors import EngineError
from freezer.fetch.store.store import Store
from freezer.flows.project.image_runtime import installed_runtime
from freezer.image.conda.chunks import conda_chunks, history_chunk, python_closure
from freezer.image.layers.bytecode import bytecode_chunks
from freezer.image.layers.order import clashes, write_layer
from freezer.image.oci.config import intermediate_config
from freezer.image.wheel.chunks import Chunk
from freezer.model.lock import CondaPackage, Lock, PythonTarget, Target
from tests.support.conda.channel import build_channel
from tests.support.conda.condapackages import EPOCH, LAYOUT
from tests.support.debian.bases import SILENT, TestBase
from tests.support.project.locks import make_lock

pytestmark = [pytest.mark.engine, pytest.mark.archive, pytest.mark.index]
ASKED = ("numpy", "pip", "threadpoolctl", "libblas=openblas", "liblapack=openblas")
MORE = ("libopenblas", "libgfortran5", "libgcc", "python_abi", "setuptools", "wheel")
PYTHON = "/opt/env/bin/python"


@dataclass(frozen=True)
class Environment:
    """What was built, and the ID of an image that holds it."""

    image: str
    lock: Lock
    files: list[Chunk]
    compiled: list[Chunk]
    store: Store


def lock_of(packages: Sequence[CondaPackage], base: TestBase) -> Lock:
    version = next(package.version for package in packages if package.name == "python")
    python = PythonTarget(version=version, abi="cp311", executable=f"{PYTHON}3.11")
    target = Target(
        architecture=base.architecture, glibc="2.36", distribution="debian 12", python=python
    )
    return make_lock(
        inside=installed_runtime(),
        platform=base.platform,
        target=target,
        base=base.base,
        conda=tuple(packages),
        debian=(),
        pip=(),
    )


def load(engine: Engine, lock: Lock, chunks: Sequence[Chunk], store: Store) -> str:
    layer = write_layer("conda", chunks, store)
    below = [LayerFile(diff_id, None) for diff_id in lock.base.diff_ids]
    config = intermediate_config(lock, [(layer.file.diff_id, layer.title)])
    return engine.load(config, [*below, layer.file]).id


@pytest.fixture(scope="module")
def environment(
    engine: Engine, bootstrapped_base: TestBase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Environment]:
    channel, store = (
        build_channel(tmp_path_factory.mktemp("c") / "channel"),
        bootstrapped_base.store,
    )
    unique = [p for p in channel.packages if p.name not in ("libblas", "liblapack", "blas")]
    chosen = [*python_closure(unique), *channel.named(*ASKED, *MORE)]
    packages = sorted(chosen, key=lambda package: package.name)
    lock = lock_of(packages, bootstrapped_base)
    files = conda_chunks(packages, layout=LAYOUT, epoch=EPOCH, store=store, report=SILENT)
    by_name = dict(zip((package.name for package in packages), files, strict=True))
    first = [by_name[package.name] for package in python_closure(packages)]
    images = [load(engine, lock, first, store)]
    try:
        compiled = bytecode_chunks(
            lock, files, lambda: images[0], engine=engine, store=store, report=SILENT
        )
        history = history_chunk(packages, layout=LAYOUT, epoch=EPOCH, store=store)
        images.append(load(engine, lock, [*files, *compiled, history], store))
        yield Environment(images[1], lock, files, compiled, store)
    finally:
        for image in images:
            with suppress(EngineError):
                engine.remove_image(image)


def run(engine: Engine, environment: Environment, *command: str) -> str:
    done = engine.run(environment.image, list(command), RunOptions())
    assert done.exit_code == 0, done.stderr.decode()
    return done.stdout.decode()


def asked(engine: Engine, environment: Environment, program: str) -> Any:
    return json.loads(run(engine, environment, PYTHON, "-c", program))


def test_python_runs_from_the_prefix(engine: Engine, environment: Environment) -> None:
    program = (
        "import bz2, ctypes, curses, hashlib, json, lzma, readline, sqlite3, ssl, sys, sysconfig, zlib;"
        "print(json.dumps([sys.prefix, sys.version.split()[0], sysconfig.get_path('purelib'),"
        " sysconfig.get_config_var('prefix'), sorted(sysconfig.get_config_vars().values(),"
        " key=str)], default=str))"
    )
    prefix, version, purelib, configured, values = asked(engine, environment, program)
    assert (prefix, configured) == ("/opt/env", "/opt/env")
    assert version == environment.lock.target.python.version
    assert purelib == "/opt/env/lib/python3.11/site-packages"
    assert not [value for value in values if "placehold" in str(value)]
    said = run(engine, environment, PYTHON, "-m", "sysconfig")
    assert 'prefix = "/opt/env"' in said


def test_numpy_computes_with_the_chosen_blas(engine: Engine, environment: Environment) -> None:
    program = (
        "import json, numpy, threadpoolctl; a = numpy.arange(9.).reshape(3, 3);"
        "print(json.dumps([(a @ a).tolist(), numpy.linalg.det(numpy.eye(3) * 2),"
        " [p['filepath'] for p in threadpoolctl.threadpool_info()]]))"
    )
    product, determinant, libraries = asked(engine, environment, program)
    assert product == [[15, 18, 21], [42, 54, 66], [69, 90, 111]]
    assert determinant == pytest.approx(8)
    assert len(libraries) == 1
    assert libraries[0].startswith("/opt/env/lib/libopenblas")


def test_scripts_start_the_environments_python(engine: Engine, environment: Environment) -> None:
    said = run(engine, environment, "/opt/env/bin/pip", "list", "--format=json", "--no-index")
    found = {item["name"]: item["version"] for item in json.loads(said)}
    locked = {package.name: package.version for package in environment.lock.conda}
    assert found == {
        name: locked[name] for name in ("numpy", "pip", "setuptools", "threadpoolctl", "wheel")
    }


def test_conda_meta_and_the_files_agree(engine: Engine, environment: Environment) -> None:
    program = """if True:
        import glob, hashlib, json, os
        wrong, names = [], []
        os.chdir("/opt/env")
        for path in sorted(glob.glob("conda-meta/*.json")):
            record = json.load(open(path))
            names.append([record["name"], record["version"], record["build"], record["sha256"]])
            listed = [item["_path"] for item in record["paths_data"]["paths"]]
            wrong += [[path, "listed"]] if listed != record["files"] else []
            for item in record["paths_data"]["paths"]:
                if not os.path.lexists(item["_path"]):
                    wrong.append([item["_path"], "missing"])
                elif item["path_type"] in ("hardlink", "unix_python_entry_point"):
                    want = item.get("sha256_in_prefix", item["sha256"])
                    data = open(item["_path"], "rb").read()
                    if hashlib.sha256(data).hexdigest() != want:
                        wrong.append([item["_path"], "other"])
        print(json.dumps([names, wrong, os.path.getsize("conda-meta/history") > 0]))
    """
    names, wrong, history = asked(engine, environment, program)
    assert names == [[p.name, p.version, p.build, p.sha256] for p in environment.lock.conda]
    assert wrong == []
    assert history


def test_nothing_is_compiled_when_a_program_starts(
    engine: Engine, environment: Environment
) -> None:
    program = (
        "import sys; import numpy, pip, json, email.mime.text;"
        "print(json.dumps(sorted({m.__cached__ for m in list(sys.modules.values())"
        " if getattr(m, '__cached__', None) and m.__file__.endswith('.py')})))"
    )
    cached = asked(engine, environment, program)
    compiled = {p for chunk in environment.compiled for p in chunk.expected(environment.store)}
    # Debian's site module looks in dist-packages, a link to site-packages.
    real = {path.replace("/dist-packages/", "/site-packages/") for path in cached}
    assert len(real) > 100
    assert real - compiled == set()


def test_the_packages_do_not_fight(environment: Environment) -> None:
    assert clashes([*environment.files, *environment.compiled], environment.store) == []


def test_compiled_again_it_is_the_same(
    engine: Engine, environment: Environment, tmp_path: Path
) -> None:
    store = Store.open(tmp_path)
    number = [chunk.name.split()[0] for chunk in environment.files].index("python")
    chunk = environment.files[number]
    for sha256 in (chunk.sha256, chunk.index):
        store.put_file(environment.store.verified(sha256))
    again = bytecode_chunks(
        environment.lock,
        [chunk],
        lambda: environment.image,
        engine=engine,
        store=store,
        report=SILENT,
    )
    assert again == [environment.compiled[number]]
