"""The folder of ``freeze evidence``: documents, an index page, and a manifest with SHA-256."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from freezer import __version__
from freezer.model.canonical import digest, plain
from freezer.model.lockfile import short_id
from freezer.output.governance.policy import document as policy_document
from freezer.output.history.log import document as log_document
from freezer.output.history.log import verified_document
from freezer.output.pages import render_page, report_style
from freezer.output.runs.runs import text as value_text
from freezer.output.text import as_json, plural, size

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.review.evidence import Evidence
    from freezer.model.record.run import Run

_ABOUT: Final = (
    ("lock/freeze.lock.yaml", "every file of the environment, with its SHA-256"),
    ("lock/CHANGELOG.md", "what changed in each generation, and why"),
    ("lock/inventory.json", "the numeric libraries in the image, and which packages load them"),
    ("lock/", "the lock in another tool's form"),
    ("spec/", "what was asked for, and why"),
    ("history/generations.jsonl", "every generation and check, each naming the one before it"),
    ("history/log.json", "the same, for reading"),
    ("history/verify.json", "whether any of it was edited since"),
    ("checks.json", "verdicts of the lock: when, on which class of hosts"),
    ("references/", "results of the trainings, by class of hosts"),
    ("plans/", "what a change or a run was to find out, written before it"),
    ("sbom.cdx.json", "bill of materials, CycloneDX"),
    ("sbom.spdx.json", "bill of materials, SPDX"),
    ("provenance.json", "SLSA provenance of the lock and its image, unsigned"),
    ("attestations/", "provenance, signed"),
    ("policy.yaml", "the rules of the project"),
    ("policy.json", "the outcome of the rules, with the deviations in force"),
    ("runs.json", "runs of trainings in this environment"),
    ("reports/", "a report that was added"),
)
"""What a file says, by the beginning of its path; the first that fits."""


def evidence_files(found: Evidence) -> dict[str, bytes]:
    """Return all files of the folder by path; the same evidence gives the same bytes."""
    files = {**found.files, **_documents(found)}
    listed = {path: files[path] for path in sorted(files)}
    listed["manifest.json"] = _json(_manifest(found, listed))
    listed["index.html"] = _index(found, listed).encode()
    listed["SHA256SUMS"] = "".join(
        f"{digest(data)}  {path}\n" for path, data in sorted(listed.items())
    ).encode()
    return listed


def _documents(found: Evidence) -> dict[str, bytes]:
    made = {
        "history/log.json": _json(log_document(found.log)),
        "history/verify.json": _json(verified_document(found.verified)),
        "checks.json": _json(_checks(found)),
        "runs.json": _json(_runs(found.runs)),
    }
    if found.policy is not None:
        made["policy.json"] = _json(policy_document(found.policy))
    return made


def _checks(found: Evidence) -> dict[str, Any]:
    rows = [row for row in found.log.rows if row.generation.lock_id == found.locked.id]
    return {
        "environment": found.locked.lock.name,
        "lock-id": found.locked.id,
        "image": found.image,
        "rebuilt": found.rebuilt,
        "checks": [plain(check) for row in rows for check in row.checks],
    }


def _runs(runs: tuple[Run, ...]) -> dict[str, Any]:
    again = [run for run in runs if "reproduces" in run.links]
    return {
        "count": len(runs),
        "states": dict(sorted(Counter(run.state for run in runs).items())),
        "made-again": len(again),
        "runs": [_run(run) for run in runs],
    }


def _run(run: Run) -> dict[str, Any]:
    names = ("git.commit", "git.dirty", "seed", "plan", "image", "host.class")
    fields = {name: value_text(run.fields[name]) for name in names if name in run.fields}
    data = {
        name: value_text(value) for name, value in run.fields.items() if name.startswith("data.")
    }
    return {
        "id": run.id,
        "state": run.state,
        "started": str(run.started),
        "seconds": run.seconds,
        "links": dict(run.links),
        "fields": {**fields, **data},
    }


def _manifest(found: Evidence, files: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "environment": found.locked.lock.name,
        "lock-id": found.locked.id,
        "image": found.image,
        "freezer": __version__,
        "files": [
            {"path": path, "sha256": digest(data), "bytes": len(data), "about": _about(path)}
            for path, data in files.items()
        ],
        "missing": as_json(list(found.missing)),
    }


def _about(path: str) -> str:
    return next((text for start, text in _ABOUT if path.startswith(start)), "")


def _index(found: Evidence, files: Mapping[str, bytes]) -> str:
    policy = found.policy.environments[0] if found.policy is not None else None
    style, style_hash = report_style()
    return render_page(
        "report/evidence.html.j2",
        style=style,
        style_hash=style_hash,
        name=found.locked.lock.name,
        lock_id=found.locked.id,
        as_of=found.locked.lock.as_of,
        image=found.image,
        rebuilt=found.rebuilt,
        version=__version__,
        faults=found.verified.faults,
        checks=[check for row in found.log.rows for check in row.checks
                if row.generation.lock_id == found.locked.id],
        policy=policy,
        runs=len(found.runs),
        missing=found.missing,
        files=[(path, _about(path), size(len(data)), digest(data)) for path, data in files.items()],
    )  # fmt: skip


def _json(values: Any) -> bytes:
    text = json.dumps(as_json(values), indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def show_evidence(
    found: Evidence, folder: Path, files: Mapping[str, bytes], console: Console
) -> None:
    """Print where the evidence is, and what is missing."""
    total = size(sum(len(data) for data in files.values()))
    name = f"{found.locked.lock.name} ({short_id(found.locked.id)})"
    lines = [f"{name}: {plural(len(files), 'file')}, {total}, in {folder}; begin with index.html"]
    lines += [f"  missing: {one.what}; {one.hint}" for one in found.missing]
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def evidence_document(found: Evidence, folder: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {"folder": str(folder), **_manifest(found, files)}
