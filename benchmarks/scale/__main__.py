"""``python -m benchmarks.scale``: the same as ``python -m benchmarks.scale.run``."""

from benchmarks.scale.run import main

if __name__ == "__main__":
    main()
