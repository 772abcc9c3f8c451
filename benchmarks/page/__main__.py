"""``python -m benchmarks.page``: the same as ``python -m benchmarks.data.run``."""

from benchmarks.page.run import main

if __name__ == "__main__":
    main()
