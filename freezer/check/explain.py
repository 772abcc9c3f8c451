"""What differs between two hosts besides the numbers, likeliest cause first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freezer.model.record import Host

_NO_CAUSE = ("the Linux kernel", "the number of CPUs")
"""Differences that are worth saying, and move no numbers by themselves."""


def differences_of_hosts(expected: Host, found: Host) -> list[str]:
    """Return a sentence for each difference between the host of a reference and this one."""
    return [*_settings(expected, found), *_facts(expected, found)]


def explains(sentences: Sequence[str]) -> bool:
    """Say whether some of the differences can move numbers."""
    return any(not sentence.startswith(_NO_CAUSE) for sentence in sentences)


def _settings(expected: Host, found: Host) -> Iterator[str]:
    for name in sorted(expected.settings.keys() | found.settings.keys()):
        before, now = expected.settings.get(name), found.settings.get(name)
        if before != now:
            yield f"{name} is {now or 'not set'}, was {before or 'not set'}"


def _facts(expected: Host, found: Host) -> Iterator[str]:
    kernels = (", ".join(expected.blas_kernels), ", ".join(found.blas_kernels))
    pairs = (
        ("the BLAS kernels", *kernels),
        ("the CPU's level", expected.level, found.level),
        ("the C library", expected.libc, found.libc),
        ("Python", expected.python, found.python),
        ("the CPU", expected.cpu, found.cpu),
    )
    for what, before, now in pairs:
        if before != now:
            yield f"{what}: {now or 'none'}, was {before or 'none'}"
    gone = sorted(set(expected.flags) - set(found.flags))
    new = sorted(set(found.flags) - set(expected.flags))
    if gone or new:
        yield f"CPU features: {_listed('without', gone)}{_listed('with', new)}".rstrip("; ")
    if expected.cpus != found.cpus:
        yield f"the number of CPUs: {found.cpus}, was {expected.cpus}"
    if expected.kernel != found.kernel:
        yield f"the Linux kernel: {found.kernel}, was {expected.kernel}"


def _listed(word: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{word} {', '.join(names[:8])}{more}; "
