"""Users' files of packages: requirements, projects, environments, and the locks of other tools."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from freezer.errors import FetchError
from freezer.fetch.http import client
from freezer.flows.setup.discover import discover
from freezer.model.spec.spec import CondaSpec, PipSpec
from freezer.resolve.conda.environment import gather_conda
from freezer.resolve.python.requirements.gather import gather
from freezer.resolve.python.uv.answer import parse_pylock
from tests.support.fuzz import Target, hold
from tests.support.project.asking import TARGET

DATA = Path(__file__).parents[2] / "data"
SHA = "a" * 64
REQUIREMENTS = f"""# a comment
--index-url https://user:${{HOME}}@index.example/simple
--extra-index-url https://other.example/simple --find-links .
numpy>=1.20,<3 ; python_version >= "3.8" and sys_platform != 'win32'
torch==2.1.0+cu121 \\
    --hash=sha256:{SHA} \\
    --hash=sha256:{SHA}
Pillow[extra,more] @ https://files.example/Pillow-10.0-py3-none-any.whl#sha256={SHA}
scikit_learn~=1.2   # why
-c constraints.txt
""".encode()
PYPROJECT = b"""[build-system]
requires = ["setuptools"]
[project]
name = "Ocean_Nets"
version = "1.0"
requires-python = ">=3.9,<3.13"
dependencies = ["numpy>=1.20", "torch; python_version > '3.8'", "ocean-nets[fast]"]
[project.optional-dependencies]
fast = ["numba"]
[dependency-groups]
dev = ["pytest>=7", {include-group = "lint"}]
lint = ["ruff"]
[tool.uv]
constraint-dependencies = ["numpy<3"]
override-dependencies = ["numba==0.60"]
[tool.uv.sources]
torch = { index = "cpu", marker = "sys_platform == 'linux'" }
[[tool.uv.index]]
name = "cpu"
url = "https://download.example/whl/cpu"
explicit = true
"""
POETRY = b"""[tool.poetry]
name = "demo"
version = "1"
[tool.poetry.dependencies]
python = "^3.9"
numpy = "^1.20"
torch = { version = ">=2", extras = ["x"], markers = "sys_platform == 'linux'" }
[tool.poetry.group.dev.dependencies]
pytest = "*"
"""
EXPLICIT = f"""# platform: linux-64
@EXPLICIT
https://conda.example/conda-forge/linux-64/python-3.11.4-h1_cpython.conda#{"b" * 32}
https://user:pw@conda.example/conda-forge/noarch/tzdata-2026a-0.tar.bz2#sha256:{SHA}
# pip six @ https://files.example/six-1.16.0-py2.py3-none-any.whl --hash=sha256:{SHA}
""".encode()
CONDA_LOCK = f"""version: 1
metadata:
  content_hash:
    linux-64: {SHA}
  channels:
  - url: conda-forge
    used_env_vars: []
  platforms:
  - linux-64
  sources:
  - environment.yml
package:
- name: python
  version: 3.11.4
  manager: conda
  platform: linux-64
  dependencies: {{tzdata: ''}}
  url: https://conda.example/conda-forge/linux-64/python-3.11.4-h1_cpython.conda
  hash: {{md5: {"b" * 32}, sha256: {SHA}}}
  category: main
  optional: false
- name: six
  version: 1.16.0
  manager: pip
  platform: linux-64
  dependencies: {{}}
  url: https://files.example/six-1.16.0-py2.py3-none-any.whl
  hash: {{sha256: {SHA}}}
  category: main
  optional: false
""".encode()
PIXI_LOCK = f"""version: 6
environments:
  default:
    channels:
    - url: https://conda.example/forge/
    packages:
      linux-64:
      - conda: https://conda.example/forge/noarch/tzdata-2026a-0.conda
      - pypi: https://files.example/six-1.16.0-py2.py3-none-any.whl
packages:
- conda: https://conda.example/forge/noarch/tzdata-2026a-0.conda
  sha256: {SHA}
  md5: {"b" * 32}
  license: MIT
  size: 1000
  timestamp: 1767225600000
- pypi: https://files.example/six-1.16.0-py2.py3-none-any.whl
  name: six
  version: 1.16.0
  sha256: {SHA}
""".encode()
UV_LOCK = f"""version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "demo"
version = "0.1"
source = {{ virtual = "." }}
dependencies = [{{ name = "numpy", marker = "python_full_version >= '3.8'" }}]
[package.optional-dependencies]
fast = [{{ name = "six", extra = ["x"] }}]
[package.metadata]
requires-dist = [{{ name = "numpy" }}]

[[package]]
name = "numpy"
version = "2.0"
source = {{ registry = "https://index.example/simple" }}
sdist = {{ url = "https://files.example/numpy-2.0.tar.gz", hash = "sha256:{SHA}", size = 5 }}
wheels = [
    {{ url = "https://files.example/numpy-2.0-py3-none-any.whl", hash = "sha256:{SHA}", size = 7 }},
]
dependencies = [{{ name = "six" }}]

[[package]]
name = "six"
version = "1.16.0"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/six-1.16.0-py2.py3-none-any.whl", hash = "sha256:{SHA}" }}]
""".encode()
PYLOCK = f"""lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11"
[[packages]]
name = "numpy"
version = "2.0"
index = "https://index.example/simple"
marker = "sys_platform == 'linux'"
wheels = [{{ name = "numpy-2.0-py3-none-any.whl", url = "https://files.example/numpy-2.0-py3-none-any.whl", upload-time = 2026-01-01T00:00:00Z, size = 7, hashes = {{ sha256 = "{SHA}" }} }}]
sdist = {{ name = "numpy-2.0.tar.gz", url = "https://files.example/numpy-2.0.tar.gz", hashes = {{ sha256 = "{SHA}" }} }}
[[packages]]
name = "six"
version = "1"
archive = {{ url = "https://files.example/six-1.zip", hashes = {{ sha256 = "{SHA}" }} }}
""".encode()
SETUP_CFG = b"[metadata]\nname = demo\n[options]\npython_requires = >=3.9\ninstall_requires =\n    numpy>=1\n    torch\n"
SETUP_PY = b"""from setuptools import setup
reqs = ["numpy"]
setup(name="demo", python_requires=">=3.9", install_requires=reqs + ["torch"], extras_require={"x": ["y"]})
"""
PIPFILE = b'[packages]\nnumpy = "*"\ntorch = {version = ">=2", index = "x"}\n[requires]\npython_version = "3.11"\n'
MLFLOW = b"name: mlflow-env\nchannels: [conda-forge]\ndependencies:\n- python=3.10.4\n- pip<=22\n- pip:\n  - mlflow==2\n"
PIXI_TOML = b'[project]\nname = "x"\nchannels = ["conda-forge"]\nplatforms = ["linux-64"]\n[dependencies]\npython = ">=3.10,<3.12"\n'
ENVIRONMENTS = [path.read_bytes() for path in sorted((DATA / "environments").glob("*.yml"))][:4]
FILES = [path.read_bytes() for path in sorted((DATA / "requirements").glob("*.txt"))][:4]


def in_folder(name: str, parse: Callable[[Path], object]) -> Callable[[bytes], object]:
    """Return a parser of bytes from one of a folder that holds them under a name."""

    def parsed(data: bytes) -> object:
        with (
            tempfile.TemporaryDirectory(prefix="fuzz-") as folder,
            mock.patch.object(client, "get_bytes", side_effect=FetchError("no network in a test")),
        ):
            (Path(folder) / "constraints.txt").write_text("numpy<3\n")
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_bytes(data)
            return parse(Path(folder))

    return parsed


def pip(name: str, **more: object) -> Callable[[bytes], object]:
    def parse(folder: Path) -> object:
        found = gather(folder, PipSpec(files=(name,), **more))  # type: ignore[arg-type]
        return found.locked.pins(TARGET) if found.locked is not None else found

    return in_folder(name, parse)


def conda(name: str) -> Callable[[bytes], object]:
    return in_folder(name, lambda folder: gather_conda(folder, CondaSpec(file=name), "3.11"))


def init(name: str) -> Callable[[bytes], object]:
    def parse(folder: Path) -> object:
        found = discover(folder)
        return found, found.notes

    return in_folder(name, parse)


INIT = {
    "requirements.txt": REQUIREMENTS, "pyproject.toml": PYPROJECT, "environment.yml": ENVIRONMENTS[0],
    "conda.yaml": MLFLOW, "conda-lock.yml": CONDA_LOCK, "pixi.lock": PIXI_LOCK, "pixi.toml": PIXI_TOML,
    "uv.lock": UV_LOCK, "pylock.toml": PYLOCK, "setup.cfg": SETUP_CFG, "setup.py": SETUP_PY, "Pipfile": PIPFILE,
    ".python-version": b"3.11.4\n",
}  # fmt: skip
TARGETS = [
    Target("requirements.txt", pip("requirements.txt"), [REQUIREMENTS, *FILES], "text"),
    Target("pyproject.toml", pip("pyproject.toml", extras=("fast",), groups=("dev",)), [PYPROJECT], "text"),
    Target("pyproject.toml of Poetry", pip("pyproject.toml"), [POETRY], "text"),
    Target("uv.lock", pip("uv.lock", extras=("fast",)), [UV_LOCK], "text"),
    Target("pylock.toml", pip("pylock.toml"), [PYLOCK], "text"),
    Target("uv's answer", lambda data: parse_pylock(data.decode("utf-8", "replace")), [PYLOCK], "text"),
    Target("environment.yml", conda("environment.yml"), ENVIRONMENTS, "text"),
    Target("explicit file of conda", conda("explicit.txt"), [EXPLICIT], "text"),
    Target("conda-lock.yml", conda("conda-lock.yml"), [CONDA_LOCK], "text"),
    Target("pixi.lock", conda("pixi.lock"), [PIXI_LOCK], "text"),
    *(Target(f"init: {name}", init(name), [seed], "text") for name, seed in INIT.items()),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)
