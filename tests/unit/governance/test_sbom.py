"""Bills of materials of the shipped locks: valid by others' validators, repeatable, complete."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from packageurl import PackageURL

from freezer.check.reference import all_references
from freezer.errors import SpecError
from freezer.governance.licenses.expression import Licenses
from freezer.governance.sbom.compare import compare, format_of
from freezer.governance.sbom.cyclonedx import cyclonedx_json
from freezer.governance.sbom.model import Sbom
from freezer.governance.sbom.parts import bill_of_materials
from freezer.governance.sbom.spdx import spdx_json
from freezer.model.lock import Lock
from freezer.model.lockfile import LOCK_FILE, lock_id, parse_lock

LOCKFILES = Path(__file__).parents[3] / "lockfiles"
SHIPPED = sorted(path.parent.name for path in LOCKFILES.glob(f"*/{LOCK_FILE}"))


@cache
def made(name: str) -> tuple[Lock, Sbom]:
    data = (LOCKFILES / name / LOCK_FILE).read_bytes()
    lock = parse_lock(data, name)
    licenses = {
        package.sha256: Licenses(("MIT" if number % 2 else None), ("own words",), "METADATA")
        for number, package in enumerate(lock.pip)
    }
    references = all_references(LOCKFILES / name, lock_id(data))
    return lock, bill_of_materials(
        lock, lock_id(data), licenses=licenses, references=references, version="1.2.3"
    )


WRITERS: dict[str, Callable[[Sbom], str]] = {
    "cyclonedx": cyclonedx_json,
    "cyclonedx-1.7": partial(cyclonedx_json, version="1.7"),
    "spdx": spdx_json,
}


def written(sbom: Sbom) -> dict[str, str]:
    return {form: write(sbom) for form, write in WRITERS.items()}


@cache
def validators() -> dict[str, Any]:
    """Return the strict validator of each version of CycloneDX, which takes time to make."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return {
        "cyclonedx": JsonStrictValidator(SchemaVersion.V1_6),
        "cyclonedx-1.7": JsonStrictValidator(SchemaVersion.V1_7),
    }


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_locks_are_valid_by_the_official_schemas(name: str, tmp_path: Path) -> None:
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    _, sbom = made(name)
    documents = written(sbom)
    for form, validator in validators().items():
        assert validator.validate_str(documents[form]) is None
    path = tmp_path / "x.spdx.json"
    path.write_text(documents["spdx"])
    parsed = parse_file(str(path))
    assert validate_full_spdx_document(parsed) == []
    # The other library counts what this one wrote.
    assert len(parsed.packages) == len(sbom.parts) + 1
    assert len(json.loads(documents["cyclonedx"])["components"]) == len(sbom.parts)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_package_is_one_component(name: str) -> None:
    lock, sbom = made(name)
    refs = [part.ref for part in sbom.parts]
    assert len(set(refs)) == len(refs)
    wanted = {f"pip:{package.name}" for package in lock.pip}
    wanted |= {f"conda:{package.name}" for package in lock.conda}
    wanted |= {f"debian:{package.name}" for package in lock.debian}
    wanted |= {f"base:{package.name}" for package in lock.base.packages}
    assert {
        ref for ref in refs if ref.partition(":")[0] in ("pip", "conda", "debian", "base")
    } == wanted
    by_hash = {part.ref: part.sha256 for part in sbom.parts}
    for package in lock.pip:
        assert by_hash[f"pip:{package.name}"] == package.sha256
    for part in sbom.parts:
        assert set(part.needs) <= set(refs), part.ref
        if part.purl:
            assert PackageURL.from_string(part.purl).to_string() == part.purl
    owners = {dict(part.properties).get("freezer:owner") for part in sbom.parts} - {None}
    assert owners <= set(refs)
    trained = [part for part in sbom.parts if part.kind == "machine-learning-model"]
    assert len(trained) == len(lock.smoke.trainings) + bool(lock.smoke.command)


def test_the_same_bill_gives_the_same_bytes() -> None:
    first, second = (written(made.__wrapped__("boosting")[1]) for _ in range(2))
    assert first == second
    for form, text in first.items():
        assert format_of(text, "x") == form
    document = json.loads(first["cyclonedx"])
    lock, _ = made("boosting")
    assert document["metadata"]["timestamp"].startswith(lock.as_of[:10])
    cards = [one["modelCard"] for one in document["components"] if "modelCard" in one]
    metrics = [card["quantitativeAnalysis"]["performanceMetrics"] for card in cards]
    assert all(metrics)


@pytest.mark.parametrize("form", ["cyclonedx", "cyclonedx-1.7", "spdx"])
def test_any_edit_is_found(form: str) -> None:
    text = WRITERS[form](made("sklearn-cpu")[1])
    key = "packages" if form == "spdx" else "components"
    assert compare(text, text).same

    def edited(change: Any) -> Any:
        document = json.loads(text)
        change(document)
        return compare(json.dumps(document), text)

    gone = edited(lambda document: document[key].pop(3))
    assert (len(gone.removed), gone.added, gone.changed) == (1, (), ())
    more = edited(lambda document: document[key].append({"name": "evil", "version": "1"}))
    assert more.added in (("evil 1",), ("evil",))
    twice = edited(lambda document: document[key].append(document[key][0]))
    assert len(twice.added) == 1
    changed = edited(lambda document: document[key][5].update(name="other"))
    assert len(changed.changed) == 1
    rest = "creationInfo" if form == "spdx" else "serialNumber"
    elsewhere = edited(lambda document: document.update({rest: "other"}))
    assert elsewhere.elsewhere
    assert not elsewhere.same


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", '{"bomFormat": "CycloneDX", "specVersion": "1.4"}',
     '{"spdxVersion": "SPDX-3.0"}', "[" * 100_000],
)  # fmt: skip
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match="no bill of materials"):
        format_of(text, "x.json")
