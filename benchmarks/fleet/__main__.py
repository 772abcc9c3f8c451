"""``python -m benchmarks.fleet``: the same as ``python -m benchmarks.fleet.run``."""

from benchmarks.fleet.run import main

if __name__ == "__main__":
    main()
