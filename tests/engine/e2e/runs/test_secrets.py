"""Secrets planted wherever a run meets them reach neither ledger, terminal nor any export."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.host.answering import answering
from tests.support.host.commands import Project, tree

pytestmark = pytest.mark.engine
TRAIN = """
import os, sys
out = os.environ["FREEZER_OUTPUT"] + "/mlruns/1/" + "a" * 32
files = {
    "meta.yaml": "run_id: x\\nstatus: 3\\nstart_time: 1793491200000\\n",
    "params/lr": "0.1",
    "params/HF_TOKEN": "planted-param",
    "params/url": "https://me:planted-url@example.org/x",
    "metrics/loss": "1793491200000 0.5 0\\n1793491200001 0.25 1\\n",
    "tags/mlflow.source.git.repoURL": "https://me:planted-tag@example.org/x.git",
    "tags/api_key": "planted-key",
    "tags/note": "given " + sys.argv[2],
}
for name, text in files.items():
    os.makedirs(os.path.dirname(out + "/" + name), exist_ok=True)
    open(out + "/" + name, "w").write(text)
open(os.environ["FREEZER_OUTPUT"] + "/model.bin", "w").write("a model")
print("environment", [value for value in os.environ.values() if "planted" in value and value not in sys.argv])
print("token", sys.argv[2], "password", sys.argv[4], "hf_" + "p1anted" * 5)
"""
PLANTED = (b"planted", b"p1anted")
ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": "planted-environment",
    "HF_TOKEN": "planted-hub",
    "MLFLOW_TRACKING_PASSWORD": "planted-server",
}


@pytest.fixture(scope="module")
def project(built: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = built.copy(tmp_path_factory.mktemp("secrets") / "project")
    (made.folder / "train.py").write_text(TRAIN)
    git = ["git", "-C", str(made.folder), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["commit", "-qm", "first"],
        ["remote", "add", "origin", "https://me:planted-remote@example.org/x.git"],
    ):
        subprocess.run([*git, *words], check=True)
    (made.folder / ".env").write_text("KEY=planted-file\n")
    return made


def freeze(project: Project, *words: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "freezer", "-C", str(project.folder), *words],
        env={**os.environ, **ENVIRONMENT, "FREEZER_STORE": str(project.store)},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout + done.stderr


def sent(project: Project) -> bytes:
    """What a tracking server gets."""
    info = {
        "run": {"info": {"run_id": "r" * 32, "artifact_uri": "mlflow-artifacts:/1/r/artifacts"}}
    }

    def answer(path: str, _: int) -> Any:
        return info if path.endswith("runs/create") else {}

    with answering(answer) as (url, asked):
        freeze(project, "runs", "export", "--mlflow", url)
    assert any("mlflow-artifacts" in path for path, _ in asked)
    return b"".join(one["body"] for _, one in asked)


def test_no_secret_is_in_any_output(project: Project, tmp_path: Path) -> None:
    printed = freeze(
        project, "run", "-p", "token=planted-token", "--", "python", "train.py", "first", "{token}",
        "--password", "planted-password",
    )  # fmt: skip
    assert b"environment []" in printed, "nothing of the caller's environment is in the container"
    run = json.loads(freeze(project, "runs", "show", "--json"))
    assert run["fields"]["params.lr"] == 0.1
    assert run["fields"]["params.HF_TOKEN"] == "***"
    assert run["fields"]["git.remote"] == "https://***@example.org/x.git"
    assert run["tags"]["mlflow.source.git.repoURL"] == "https://***@example.org/x.git"
    assert run["tags"]["api_key"] == "***"
    assert run["series"]["metrics.loss"]["values"] == [(0.5).hex(), (0.25).hex()]
    outputs: dict[str, bytes] = {
        f"records/{name}": data
        for name, data in tree(project.folder / ".freezer").items()
        if "/output/" not in name  # the training's own files
    }
    assert any(name.endswith("ledger.db") for name in outputs)
    for name, words in {
        "show": ("show",),
        "show json": ("show", "--json"),
        "list": ("list",),
        "list csv": ("list", "--csv"),
        "query": ("query", "params.lr = 0.1", "--columns", "command,tags.api_key,params.HF_TOKEN"),
        "query json": ("query", "params.lr = 0.1", "--json"),
        "summary": ("summary", "--json"),
        "fields": ("fields", "--json"),
    }.items():
        outputs[name] = freeze(project, "runs", *words)
    for form in ("json", "csv", "parquet"):
        file = tmp_path / f"runs.{form}"
        freeze(project, "runs", "export", "--format", form, "-o", str(file))
        outputs[file.name] = file.read_bytes()
    freeze(project, "runs", "page", "-o", str(tmp_path / "runs.html"))
    outputs["page"] = (tmp_path / "runs.html").read_bytes()
    freeze(project, "runs", "export", "--ro-crate", str(tmp_path / "crate"))
    crate = tree(tmp_path / "crate")
    assert any(name.endswith("output/model.bin") for name in crate)
    outputs |= {f"crate/{name}": data for name, data in crate.items()}
    outputs["mlflow"] = sent(project)
    found = [name for name, data in outputs.items() if any(word in data for word in PLANTED)]
    assert found == []
