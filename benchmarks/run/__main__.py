"""``python -m benchmarks.run``: the same as ``python -m benchmarks.run.run``."""

from benchmarks.run.run import main

if __name__ == "__main__":
    main()
