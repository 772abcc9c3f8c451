"""MLflow and TensorBoard in an environment of their own: Freezer imports neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import uv

PACKAGES = ("mlflow==3.17.2", "tensorboard==2.21.0", "tensorboardX==2.6.5")


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python that has them."""
    folder = tmp_path_factory.mktemp("tools") / "venv"
    subprocess.run([uv.find_uv_bin(), "venv", "-q", "-p", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv.find_uv_bin(), "pip", "install", "-q", "-p", python, *PACKAGES], check=True)
    return python
