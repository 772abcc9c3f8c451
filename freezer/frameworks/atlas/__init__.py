"""What was measured of libraries: rows of data that ``python -m benchmarks.atlas`` writes.

One file a library in ``data``; only those of the packages that are asked for are read.
"""
