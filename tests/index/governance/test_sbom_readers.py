"""Bills of materials of all shipped locks, validated and counted by tools that did not write them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.check.reference import all_references
from freezer.governance.sbom.cyclonedx import cyclonedx_json
from freezer.governance.sbom.parts import bill_of_materials
from freezer.governance.sbom.spdx import spdx_json
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock

pytestmark = pytest.mark.index
LOCKFILES = Path(__file__).parents[3] / "lockfiles"
SHIPPED = sorted(path.parent.name for path in LOCKFILES.glob(f"*/{LOCK_FILE}"))
COUNT = """
import json, sys
from lib4sbom.parser import SBOMParser
parser = SBOMParser(sbom_type=sys.argv[1])
parser.parse_file(sys.argv[2])
print(len(parser.get_packages()))
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the tools; return the folder of their programs."""
    folder = tmp_path_factory.mktemp("readers") / "env"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    packages = ["cyclonedx-editor-validator==1.0.3", "lib4sbom==0.10.4"]
    subprocess.run([*install, *packages], check=True)
    return folder / "bin"


def run(*arguments: str) -> str:
    done = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout


@pytest.mark.parametrize("name", SHIPPED)
def test_other_tools_read_as_many_components(name: str, tools: Path, tmp_path: Path) -> None:
    data = (LOCKFILES / name / LOCK_FILE).read_bytes()
    references = all_references(LOCKFILES / name, lock_id(data))
    sbom = bill_of_materials(
        parse_lock(data, name), lock_id(data), licenses={}, references=references, version="1"
    )
    cyclonedx, spdx = tmp_path / "x.cdx.json", tmp_path / "x.spdx.json"
    cyclonedx.write_text(cyclonedx_json(sbom))
    spdx.write_text(spdx_json(sbom))

    run(str(tools / "cdx-ev"), "validate", str(cyclonedx))
    listed = run(str(tools / "cdx-ev"), "list", "components", "--format", "csv", str(cyclonedx))
    rows = list(csv.DictReader(io.StringIO(listed)))
    # It lists what the document is about as well, which SPDX has as a package.
    assert len(rows) == len(sbom.parts) + 1
    assert {row["Name"] for row in rows} == {part.name for part in (sbom.root, *sbom.parts)}

    python = str(tools / "python")
    assert int(run(python, "-c", COUNT, "spdx", str(spdx))) == len(sbom.parts) + 1
    # Of CycloneDX that one keeps a component for each name and version, so that two copies of
    # OpenBLAS are one.
    different = {(one["name"], one["version"]) for one in json.loads(cyclonedx.read_text())["components"]}  # fmt: skip
    assert int(run(python, "-c", COUNT, "cyclonedx", str(cyclonedx))) == len(different)


def test_the_validator_finds_a_spoiled_document(tools: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.cdx.json"
    path.write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{}]}')
    with pytest.raises(subprocess.CalledProcessError):
        run(str(tools / "cdx-ev"), "validate", str(path))
