"""``python -m benchmarks.data``: the same as ``python -m benchmarks.data.run``."""

from benchmarks.data.run import main

if __name__ == "__main__":
    main()
