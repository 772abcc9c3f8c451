"""Declared licenses become SPDX expressions, or stay what they are; never a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.governance.licenses.debian import debian_licenses
from freezer.governance.licenses.expression import Licenses, declared, reference, to_spdx
from freezer.governance.licenses.python import python_licenses


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("MIT", "MIT"),
        ("mit", "MIT"),
        ("Expat", "MIT"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("GPLv3+", "GPL-3.0-or-later"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("LGPL-2+", "LGPL-2.0-or-later"),
        ("GFDL-1.3", "GFDL-1.3-only"),
        ("GPL-2+ with Bison exception", "GPL-2.0-or-later WITH Bison-exception-2.2"),
        ("GPL-2+ and Expat", "GPL-2.0-or-later AND MIT"),
        ("GPL-1+ or Artistic", "Artistic-1.0 OR GPL-1.0-or-later"),
        ("GPL-2+ or Artistic, and BSD-3-clause", "BSD-3-Clause AND (Artistic-1.0 OR GPL-2.0-or-later)"),
        ("BSD-3-Clause AND (Apache-2.0 OR MIT)", "BSD-3-Clause AND (Apache-2.0 OR MIT)"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
        ("BSD", None),
        ("BSD License", None),
        ("public-domain", None),
        ("GPL", "GPL-1.0-or-later"),  # any version, by the license itself
        ("LGPL", None),
        ("LicenseRef-NVIDIA", None),
        ("GPL-2+ and custom", None),
        ("", None),
    ],
)  # fmt: skip
def test_names(text: str, expression: str | None) -> None:
    assert to_spdx(text) == expression


@given(st.text(max_size=300))
def test_any_text_is_mapped_to_an_expression_or_kept(text: str) -> None:
    found = declared([text], "METADATA")
    clean = " ".join(text.split())
    if found.expression is not None:
        assert to_spdx(found.expression) == found.expression
        assert found.unmapped == ()
    elif clean:
        assert found.unmapped == (clean[:200],)
    else:
        assert found == Licenses()


@given(st.text(max_size=80))
def test_references_have_the_characters_of_spdx(name: str) -> None:
    import re

    assert re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]+", reference(name))
    assert reference(reference(name)) == reference(name)


def test_all_that_is_declared_applies() -> None:
    found = declared(["MIT", "GPL-2+ or MIT", "custom", "MIT"], "copyright")
    assert found.expression is not None
    assert "MIT" in found.expression
    assert found.unmapped == ("custom",)
    assert found.whole is not None
    assert found.whole.endswith("LicenseRef-custom")


MACHINE_READABLE = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: x

Files: *
Copyright: 2020 A
License: GPL-2+

Files: debian/*
Copyright: 2020 B
License: Expat

License: GPL-2+
 This program is free software; see License: nonsense
"""


def test_copyright_files() -> None:
    found = debian_licenses(MACHINE_READABLE)
    assert found.expression == "GPL-2.0-or-later AND MIT"
    assert found.unmapped == ()
    prose = "x is licensed.\nSee `/usr/share/common-licenses/GPL-2'.\n"
    assert debian_licenses(prose).unmapped == ("GPL-2 (common license)",)
    assert debian_licenses(prose).expression is None
    assert debian_licenses("All rights reserved.").unmapped == ("see the copyright file",)
    assert debian_licenses("  \n") == Licenses()


@pytest.mark.parametrize(
    ("headers", "expression", "unmapped"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: GPL", "MIT OR Apache-2.0", ()),
        ("License: Apache 2.0", "Apache-2.0", ()),
        ("Classifier: License :: OSI Approved :: MIT License", "MIT", ()),
        ("License: custom\nClassifier: License :: OSI Approved :: MIT License", "MIT", ()),
        ("Classifier: License :: OSI Approved :: BSD License", None, ("BSD License",)),
        ("Classifier: License :: OSI Approved", None, ("OSI Approved",)),
        ("License: NVIDIA Proprietary Software", None, ("NVIDIA Proprietary Software",)),
        ("Name: x", None, ()),
    ],
)
def test_metadata(headers: str, expression: str | None, unmapped: tuple[str, ...]) -> None:
    found = python_licenses(f"Metadata-Version: 2.4\n{headers}\n\nLicense: MIT\n".encode())
    assert (found.expression, found.unmapped) == (expression, unmapped)
