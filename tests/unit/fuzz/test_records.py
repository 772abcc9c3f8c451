"""What trainings and images print, and what is stored of it: records, references, inventories."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from freezer.check.assess import Assessment
from freezer.check.compare.compare import compare
from freezer.check.compare.finite import require_finite
from freezer.check.compare.metrics import metrics
from freezer.check.gpu import parse_nvml, parse_smi
from freezer.check.inventory.numerics import compare_inventories, doubles
from freezer.check.inventory.take import parse_inventory
from freezer.check.reference import parse_reference
from freezer.flows.check.result import CheckResult
from freezer.flows.project.environment import Locked
from freezer.model.canonical import digest, json_bytes
from freezer.model.record.inventory import Inventory, note_of
from freezer.model.record.protocol import PREFIX, parse_lines
from freezer.model.record.record import Record
from freezer.model.record.verdict import Basis
from freezer.output.check.check import document, show
from freezer.output.check.report import report
from freezer.output.text import document as text_of
from tests.support.fuzz import Target, attempt, hold
from tests.support.project.locks import make_lock
from tests.support.project.records import HOST, lines, record

SHIPPED = Path(__file__).parents[3] / "lockfiles"
REFERENCES = sorted(SHIPPED.glob("*/references/*.json"))
INVENTORIES = sorted(SHIPPED.glob("*/inventory.json"))


def short_reference() -> bytes:
    """Return the beginning of a shipped reference."""
    found = json.loads(REFERENCES[0].read_bytes())
    found["trainings"] = found["trainings"][:1]
    found["trainings"][0]["observations"] = found["trainings"][0]["observations"][:12]
    del found["integrity"]
    return json_bytes(found | {"integrity": f"sha256:{digest(json_bytes(found))}"})


def short_inventory(path: Path) -> bytes:
    """Return the beginning of a shipped inventory."""
    found = json.loads(path.read_bytes())
    return json_bytes(found | {"libraries": found["libraries"][:6]})


SMALL_REFERENCE = short_reference()
IMAGE = f"sha256:{'2' * 64}"
GPUS = b"570.124.06, 9.0, NVIDIA H100 80GB HBM3\n"


def sealed(data: bytes) -> object:
    """Parse a reference whose digest fits whatever was done to its content."""
    try:
        found = json.loads(data)
        del found["integrity"]
        claim = {"integrity": f"sha256:{digest(json_bytes(found))}"}
    except (ValueError, TypeError, KeyError, RecursionError):
        return parse_reference(data, "r.json")
    return parse_reference(json.dumps(found | claim).encode(), "r.json")


def told(data: bytes) -> Record:
    """Return the record of a run that printed some lines."""
    found = [PREFIX + line for line in data.split(b"\n") if line]
    host, trainings = parse_lines(found)
    return record().model_copy(update={"host": host or record().host, "trainings": trainings})


def compared(data: bytes) -> None:
    """Take a run's lines all the way to what is printed of them."""
    before, after = record(), told(data)
    result = CheckResult(
        locked=Locked(make_lock(), "1" * 64, Path("lockfiles/x")),
        image=IMAGE,
        assessment=Assessment(
            record=after,
            expected=before,
            verdict=require_finite(compare(before, after), after),
            basis=Basis.REFERENCE,
        ),
        reference="r.json",
    )
    metrics(before, after)
    show(result, Console(file=io.StringIO()))
    text_of(document(result))
    report(result, "html")
    report(result, "md")


def inventory(data: bytes) -> None:
    found = parse_inventory(data, IMAGE)
    note_of(found)
    doubles(found)
    compare_inventories(found, Inventory.model_validate_json(INVENTORIES[0].read_bytes()))


RUN = b"\n".join(
    [
        json.dumps({"kind": "host", "host": HOST}).encode(),
        *(line.removeprefix(PREFIX) for line in lines()),
    ]
)
LINES = [line.removeprefix(PREFIX) for line in lines()]
PRINTED = [short_inventory(path) for path in INVENTORIES[:2]]
TARGETS = [
    Target("record lines", compared, [RUN], "text"),
    Target("one record line", told, LINES, "json"),
    Target("references", lambda data: parse_reference(data, "r.json"), [SMALL_REFERENCE], "json"),
    Target("references, sealed", sealed, [SMALL_REFERENCE], "json"),
    Target("inventories", inventory, PRINTED, "json"),
    Target("GPUs by nvidia-smi", lambda data: parse_smi(data.decode("utf-8", "replace")), [GPUS], "text"),
    Target(
        "GPUs by NVML",
        lambda data: parse_nvml(data.decode("utf-8", "replace")),
        [b'[{"driver": "570.124.06", "capability": "9.0", "name": "NVIDIA H100"}]'],
        "json",
    ),
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_seeds_are_accepted(target: Target) -> None:
    assert all(attempt(target, seed) for seed in target.seeds)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_only_errors_for_people(target: Target) -> None:
    hold(target)
