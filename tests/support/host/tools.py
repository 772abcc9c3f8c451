"""Programs in environments of their own: MLflow, TensorBoard, what validates a crate."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uv

from tests.support.ports import free_port

VALUES = [1.5, 0.5, math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1]
MLFLOW = f"""
import math, sys
from mlflow import MlflowClient
from mlflow.entities import Metric
nan, inf = math.nan, math.inf
client = MlflowClient(sys.argv[1])
experiment = client.create_experiment("digits")
remote = "https://me:planted-password@example.org/x.git"
tags = {{"mlflow.source.git.repoURL": remote, "team": "blue", "mlflow.user": "somebody"}}
run = client.create_run(experiment, tags=tags).info.run_id
for name, value in (("lr", 0.01), ("optimizer", "adam"), ("deep/name", 1), ("flag", True),
                    ("HF_TOKEN", "planted-token"), ("text", "x" * 5000)):
    client.log_param(run, name, value)
for step, value in enumerate({VALUES!r}):
    client.log_metric(run, "loss", value, timestamp=1793491200000 + step, step=step)
metrics = [Metric("val/acc", step / 7, 1793491200000 + step, step) for step in range(200)]
client.log_batch(run, metrics=metrics)
client.set_terminated(run)
if "children" in sys.argv:
    for number in range(2):
        child = client.create_run(experiment, tags={{"mlflow.parentRunId": run}}).info.run_id
        client.log_param(child, "lr", number)
deleted = client.create_run(experiment).info.run_id
client.log_param(deleted, "deleted", 1)
client.delete_run(deleted)
"""


def install(folder: Path, *packages: str) -> Path:
    """Return the Python of a new environment with packages."""
    subprocess.run([uv.find_uv_bin(), "venv", "-q", "-p", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv.find_uv_bin(), "pip", "install", "-q", "-p", python, *packages], check=True)
    return python


def written(python: Path, code: str, *words: str) -> None:
    environment = {
        **os.environ,
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    subprocess.run([python, "-c", code, *words], check=True, env=environment)


@contextmanager
def mlflow_server(python: Path, folder: Path) -> Iterator[str]:
    """A tracking server on the loopback interface, with a store of artifacts; its address."""
    port = free_port()
    command = [
        python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/server.db",
        "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/health", server)
        yield address
    finally:
        os.killpg(server.pid, 15)
        server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server does not answer")
