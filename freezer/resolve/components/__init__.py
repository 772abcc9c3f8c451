"""Numeric components of packages: BLAS, LAPACK, OpenMP and compilers, by name and version."""
