"""`blas:` in Debian, in conda and among wheels."""

from __future__ import annotations

import pytest

from freezer.errors import ResolveError
from freezer.model.lock import Component
from freezer.model.spec.spec import Blas
from freezer.resolve.components.blas import check_blas, chosen_alternative, debian_additions
from tests.support.python.accelerators import conda, wheel

NETLIB = ("libc6", "libblas3", "liblapack3", "python3-numpy")
OPENBLAS = (*NETLIB, "libopenblas0-pthread", "libopenblas0")


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (NETLIB, "netlib"),
        (OPENBLAS, "openblas"),
        ((*NETLIB, "libblis4-openmp"), "blis"),
        ((*NETLIB, "libatlas3-base", "libmkl-rt"), "atlas"),
        ((*OPENBLAS, "libblis4-serial"), "openblas"),
    ],
)
def test_the_alternative_with_the_highest_priority_is_the_blas(
    names: tuple[str, ...], chosen: str
) -> None:
    found = chosen_alternative(names)
    assert found is not None
    assert found.blas == chosen


def test_without_any_there_is_none() -> None:
    assert chosen_alternative(["libc6", "libopenblas0", "libblas-dev"]) is None


@pytest.mark.parametrize(
    ("blas", "names", "added"),
    [
        ("openblas", NETLIB, ("libopenblas0-pthread",)),
        ("openblas", OPENBLAS, ()),
        ("blis", NETLIB, ("libblis4-pthread", "liblapack3")),
        ("netlib", OPENBLAS, ()),
        ("netlib", NETLIB, ()),
        ("mkl", NETLIB, ()),
        ("openblas", ("libc6",), ()),
    ],
)
def test_what_debian_needs_besides(
    blas: Blas, names: tuple[str, ...], added: tuple[str, ...]
) -> None:
    assert debian_additions(blas, names) == added


def test_a_stronger_alternative_is_an_error_that_names_it() -> None:
    with pytest.raises(ResolveError) as caught:
        check_blas("netlib", debian=OPENBLAS)
    assert str(caught.value) == (
        "freeze.yaml (blas): Debian's libblas.so.3 would be that of openblas\n"
        "  found:    libopenblas0-pthread\n"
        "  expected: netlib\n"
        "  next:     remove libopenblas0-pthread, which has the higher priority in Debian's "
        "alternatives"
    )
    with pytest.raises(ResolveError) as caught:
        check_blas("mkl", debian=NETLIB)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("add libmkl-rt under `system:`, and remove libblas3,")
    with pytest.raises(ResolveError) as caught:
        check_blas("openblas", debian=NETLIB)
    assert caught.value.hint == "add libopenblas0-pthread under `system:`"


def test_numpys_wheels_bundle_openblas_and_the_choices_that_remain_are_named() -> None:
    with pytest.raises(ResolveError) as caught:
        check_blas("mkl", pip=[wheel("numpy", "2.2.0"), wheel("scipy", "1.16.0"), wheel("rich")])
    said = str(caught.value)
    assert "numpy 2.2.0: its wheel bundles openblas" in said
    assert "install numpy and scipy from conda" in said
    assert "system: [python3-numpy, python3-scipy]" in said
    assert "allow-sdist: [numpy, scipy]" in said
    assert "rich" not in said


def test_a_source_distribution_takes_the_images_blas() -> None:
    built = wheel("numpy", "2.2.0").model_copy(update={"file": "numpy-2.2.0.tar.gz"})
    assert check_blas("netlib", debian=NETLIB, pip=[built]) == ()


def test_what_answers_is_enough_and_where_nothing_does_it_is_said() -> None:
    assert check_blas("openblas", pip=[wheel("numpy", "2.2.0")]) == ()
    assert check_blas("mkl", conda=[conda("libblas", "3.9.0", "1_mkl")]) == ()
    assert check_blas("openblas", debian=OPENBLAS) == ()
    (said,) = check_blas("openblas", pip=[wheel("rich")])
    assert said == "blas: openblas is requested, but nothing in the environment uses a BLAS"


def test_another_build_that_was_named_or_taken_over_is_refused() -> None:
    with pytest.raises(ResolveError) as caught:
        check_blas("mkl", conda=[conda("libblas", "3.9.0", "1_h_openblas")])
    assert caught.value.found == "libblas 3.9.0 1_h_openblas (asked for)"


def test_wheels_with_a_blas_of_their_own_are_named() -> None:
    components = [
        Component(role="blas", name="OpenBLAS", version="0.3.29", provider="pip:opencv-python"),
        Component(role="lapack", name="OpenBLAS", version="0.3.29", provider="pip:opencv-python"),
        Component(role="blas", name="MKL", version="2026.0", provider="pip:mkl"),
        Component(role="blas", name="netlib", version="3.11", provider="base"),
        Component(role="blas", name="cuBLAS", version="12.8", provider="pip:nvidia-cublas-cu12"),
    ]
    said = check_blas("mkl", conda=[conda("libblas", "3.9.0", "1_mkl")], components=components)
    assert len(said) == 1
    assert said[0].startswith("pip:opencv-python bundles OpenBLAS 0.3.29 and uses that")
