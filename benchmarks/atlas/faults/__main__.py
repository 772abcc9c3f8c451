"""``python -m benchmarks.atlas.faults``."""

import sys

from benchmarks.atlas.faults.run import main

sys.exit(main())
