"""``python -m benchmarks.memory``: the same as ``python -m benchmarks.memory.run``."""

from benchmarks.memory.run import main

if __name__ == "__main__":
    main()
