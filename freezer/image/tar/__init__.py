"""Canonical layer tars: equal content gives equal bytes; written, scanned and compared."""
