"""MLflow and TensorBoard in an environment of their own: Freezer imports neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.host.tools import install

PACKAGES = ("mlflow==3.17.2", "tensorboard==2.21.0", "tensorboardX==2.6.5")


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python that has them."""
    return install(tmp_path_factory.mktemp("tools") / "venv", *PACKAGES)
