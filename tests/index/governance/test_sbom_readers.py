"""Bills of materials of all shipped locks, validated and counted by tools that did not write them."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from freezer.check.reference import all_references
from freezer.governance.sbom.cyclonedx import cyclonedx_json
from freezer.governance.sbom.model import Sbom
from freezer.governance.sbom.parts import bill_of_materials
from freezer.governance.sbom.spdx import spdx_json
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock

pytestmark = pytest.mark.index
LOCKFILES = Path(__file__).parents[3] / "lockfiles"
SHIPPED = sorted(path.parent.name for path in LOCKFILES.glob(f"*/{LOCK_FILE}"))
COUNT = """
import sys
from lib4sbom.parser import SBOMParser
for kind, path in zip(sys.argv[1::2], sys.argv[2::2]):
    parser = SBOMParser(sbom_type=kind)
    parser.parse_file(path)
    print(len(parser.get_packages()))
"""
VALIDATE = """
const fs = require("fs");
const { Validation } = require("@cyclonedx/cyclonedx-library");
(async () => {
  let bad = 0;
  for (const path of process.argv.slice(2)) {
    const text = fs.readFileSync(path, "utf8");
    const validator = new Validation.JsonStrictValidator(JSON.parse(text).specVersion);
    const errors = await validator.validate(text);
    if (errors !== null) { bad = 1; console.log(path, JSON.stringify(errors).slice(0, 500)); }
  }
  process.exit(bad);
})();
"""


def made(name: str) -> Sbom:
    data = (LOCKFILES / name / LOCK_FILE).read_bytes()
    references = all_references(LOCKFILES / name, lock_id(data))
    return bill_of_materials(
        parse_lock(data, name), lock_id(data), licenses={}, references=references, version="1"
    )


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the tools; return the folder of their programs."""
    folder = tmp_path_factory.mktemp("readers") / "env"
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    subprocess.run([*install, "lib4sbom==0.10.4", "sbom2csv==1.0.2"], check=True)
    return folder / "bin"


def run(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("name", SHIPPED)
def test_other_tools_read_as_many_components(name: str, tools: Path, tmp_path: Path) -> None:
    sbom = made(name)
    cyclonedx, spdx, table = (tmp_path / file for file in ("x.cdx.json", "x.spdx.json", "x.csv"))
    cyclonedx.write_text(cyclonedx_json(sbom))
    spdx.write_text(spdx_json(sbom))
    run(str(tools / "sbom2csv"), "-i", str(cyclonedx), "-o", str(table), "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert len(rows) == len(sbom.parts)
    found = sorted((row["Name"], row["Version"]) for row in rows)
    assert found == sorted((part.name, part.version) for part in sbom.parts)
    counts = run(
        str(tools / "python"), "-c", COUNT, "spdx", str(spdx), "cyclonedx", str(cyclonedx)
    ).split()
    # SPDX has what the document is about as a package, too. Of CycloneDX lib4sbom keeps one
    # component for each name and version, so that two copies of OpenBLAS are one.
    different = {(part.name, part.version) for part in sbom.parts}
    assert counts == [str(len(sbom.parts) + 1), str(len(different))]


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_the_javascript_library_validates_all(tmp_path: Path) -> None:
    packages = [
        "@cyclonedx/cyclonedx-library@10.3.0", "ajv@8.20.0", "ajv-formats@3.0.1",
        "ajv-formats-draft2019@1.6.1",
    ]  # fmt: skip
    # Without what is optional, which would be compiled here.
    options = ["--no-audit", "--no-fund", "--silent", "--omit=optional", "--ignore-scripts"]
    install = ["npm", "install", *options, "--prefix", str(tmp_path)]
    subprocess.run([*install, *packages], check=True, timeout=240)
    script = tmp_path / "validate.js"
    script.write_text(VALIDATE)
    written = []
    for name in SHIPPED:
        sbom = made(name)
        for version in ("1.6", "1.7"):
            path = tmp_path / f"{name}-{version}.json"
            path.write_text(cyclonedx_json(sbom, version))  # type: ignore[arg-type]
            written.append(str(path))
    run("node", str(script), *written)
    spoiled = json.loads(Path(written[0]).read_text())
    spoiled["components"][0]["type"] = "nothing"
    (tmp_path / "spoiled.json").write_text(json.dumps(spoiled))
    with pytest.raises(AssertionError, match=r"nothing|enum|allowed"):
        run("node", str(script), str(tmp_path / "spoiled.json"))
