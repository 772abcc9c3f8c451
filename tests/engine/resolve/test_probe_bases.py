"""Real bases being asked: one with apt, one with a Python of its own, ones that are of no use."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from freezer.engine.interface import Engine, LayerFile
from freezer.errors import ResolveError
from freezer.fetch.store.store import Store
from freezer.image.tar.canonical import parents
from freezer.resolve.base.probe import probe
from freezer.resolve.base.target import choose_python, python_packages, target
from tests.support.debian.bases import SILENT, TestBase

pytestmark = pytest.mark.engine

PYTHON = """#!/bin/sh
# Stands for an interpreter: says what the real one would.
echo "3.12.7 cp312 cpython final"
"""


def layer(folder: Path, **files: str) -> LayerFile:
    """Return a layer of executable files; ``__`` in a name stands for a slash."""
    path = folder / "layer.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        paths = {name.replace("__", "/"): text.encode() for name, text in files.items()}
        for name in parents(paths):
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(info)
        for name, data in paths.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            archive.addfile(info, io.BytesIO(data))
    return LayerFile(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}", path)


@contextmanager
def loaded(
    engine: Engine, make_config: Callable[..., bytes], *layers: LayerFile, path: str
) -> Iterator[str]:
    config = make_config([item.diff_id for item in layers], Env=[f"PATH={path}"])
    image = engine.load(config, list(layers))
    try:
        yield image.id
    finally:
        engine.remove_image(image.id)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.mark.archive
def test_a_debian_without_python_gets_debians_own(
    engine: Engine, bootstrapped_base: TestBase, store: Store
) -> None:
    facts = probe(engine, bootstrapped_base.reference, store=store, report=SILENT)
    assert facts.architecture == bootstrapped_base.architecture
    assert (facts.distribution, facts.glibc) == ("debian 12", "2.36")
    assert {(p.name, p.version) for p in facts.packages} == {
        (p.name, p.version) for p in bootstrapped_base.base.packages
    }
    assert (facts.has_apt, facts.has_dpkg, facts.apt_sources) == (True, True, ())
    assert choose_python("3.11", facts) is None
    assert python_packages("3.11", facts) == ("python3.11",)


@pytest.mark.archive
def test_a_base_with_a_python_beside_debians_is_used_as_it_is(
    engine: Engine,
    bootstrapped_base: TestBase,
    image_config: Callable[..., bytes],
    store: Store,
    tmp_path: Path,
) -> None:
    extra = layer(
        tmp_path,
        **{
            "usr__local__bin__python3.12": PYTHON,
            "usr__bin__python3.12": PYTHON.replace("3.12.7", "3.12.1"),
            "usr__bin__python3.13": "#!/bin/sh\nexit 1\n",
            "etc__apt__sources.list.d__a.list": "deb http://example.org/debian bookworm main\n# end",
        },
    )
    base = LayerFile(bootstrapped_base.base.diff_ids[0], None)
    with loaded(engine, image_config, base, extra, path="/bin:/usr/bin:/usr/local/bin") as image:
        facts = probe(engine, image, store=store, report=SILENT)
    assert [(python.version, python.executable) for python in facts.pythons] == [
        ("3.12.1", "/usr/bin/python3.12"),
        ("3.12.7", "/usr/local/bin/python3.12"),
    ]
    assert facts.apt_sources == (
        (
            "/etc/apt/sources.list.d/a.list",
            "deb http://example.org/debian bookworm main\n# end\n",
        ),
    )
    python = choose_python("3.12", facts)
    assert python is not None
    assert target(facts, python, []).python.executable == "/usr/bin/python3.12"


def test_a_base_without_a_shell_is_refused(
    engine: Engine, image_config: Callable[..., bytes], store: Store, tmp_path: Path
) -> None:
    bare = layer(tmp_path, **{"etc__os-release": "ID=distroless\n"})
    with (
        loaded(engine, image_config, bare, path="/bin") as image,
        pytest.raises(ResolveError, match="has no shell") as caught,
    ):
        probe(engine, image, store=store, report=SILENT)
    assert "bookworm-slim" in (caught.value.hint or "")


def test_a_base_on_musl_is_refused(
    engine: Engine,
    image_config: Callable[..., bytes],
    tiny_layer: LayerFile,
    store: Store,
    tmp_path: Path,
) -> None:
    musl = layer(
        tmp_path,
        **{
            "etc__os-release": 'ID=alpine\nVERSION_ID="3.20"\n',
            "lib__ld-musl-x86_64.so.1": "",
        },
    )
    with (
        loaded(engine, image_config, tiny_layer, musl, path="/bin") as image,
        pytest.raises(ResolveError, match="does not use glibc") as caught,
    ):
        probe(engine, image, store=store, report=SILENT)
    assert caught.value.found == "alpine 3.20, on musl"


def test_a_base_for_another_machine_is_refused(
    engine: Engine,
    image_config: Callable[..., bytes],
    tiny_layer: LayerFile,
    store: Store,
    tmp_path: Path,
) -> None:
    foreign = layer(tmp_path, bin__sh="\x7fELF no program of this machine")

    def other(diff_ids: list[str], **config: object) -> bytes:
        document = json.loads(image_config(diff_ids, **config))
        document["architecture"] = {"amd64": "arm64", "arm64": "amd64"}[document["architecture"]]
        return json.dumps(document).encode()

    with (
        loaded(engine, other, tiny_layer, foreign, path="/bin") as image,
        pytest.raises(ResolveError, match="does not run on this engine") as caught,
    ):
        probe(engine, image, store=store, report=SILENT)
    assert engine.info.architecture in (caught.value.expected or "")
