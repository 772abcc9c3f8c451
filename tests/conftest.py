"""What holds for all tests."""

import os
from pathlib import Path

from hypothesis import settings

settings.register_profile("freezer", deadline=None)  # how long an example takes is the machine's
settings.load_profile("freezer")

if folder := os.environ.get("FREEZER_COVERAGE_PROCESSES"):
    Path(folder, str(os.getpid())).touch()  # a process of the tests, and none that they start
