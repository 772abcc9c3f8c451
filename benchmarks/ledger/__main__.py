"""``python -m benchmarks.ledger``: the same as ``python -m benchmarks.ledger.run``."""

from benchmarks.ledger.run import main

if __name__ == "__main__":
    main()
