"""``python -m benchmarks.governance``: the same as ``python -m benchmarks.governance.run``."""

from benchmarks.governance.run import main

if __name__ == "__main__":
    main()
