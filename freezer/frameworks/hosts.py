"""The hosts and days of the measurements that descriptions cite."""

from __future__ import annotations

from typing import Final

ZEN_4: Final = "AMD EPYC (Zen 4, AVX-512) under KVM, 2 cores, CPython 3.11.7"
DAY: Final = "2026-11-30"
ZEN_4_STUDY: Final = (
    "129 harmless and 31 harmful changes of the built-in trainings on one AVX-512 host with two "
    "cores, 2026: this tolerance separated them"
)
