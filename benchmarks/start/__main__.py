"""``python -m benchmarks.start``: the same as ``python -m benchmarks.start.run``."""

from benchmarks.start.run import main

if __name__ == "__main__":
    main()
