"""The rendered Dockerfile: readable, complete, and nothing in it is expanded by Docker."""

from __future__ import annotations

import pytest

from freezer.image.dockerfile import AddedLayer, render_dockerfile, render_install_script
from tests.support.project.locks import make_lock, sha

ADDED = [AddedLayer("layers/10-numpy.tar", "numpy 2.4.6")]


def render(**changes: object) -> str:
    return render_dockerfile(
        make_lock(**changes),
        sha("a"),
        base_reference="debian@sha256:" + sha("3"),
        layers=ADDED,
        labels={"team": "vision"},
    )


def test_the_whole_story() -> None:
    text = render()
    for line in (
        "FROM debian@sha256:" + sha("3") + " AS base",
        "COPY system /freezer-system",
        "ADD layers/10-numpy.tar /",
        'ENV PYTHONHASHSEED="0"',
        'LABEL "team"="vision"',
        "USER 1000:1000",
        'CMD ["python"]',
    ):
        assert line in text.splitlines()
    assert "http" not in text


def test_a_root_without_registry_comes_from_a_tar() -> None:
    text = render_dockerfile(
        make_lock(), sha("a"), base_reference=None, base_layer="layers/00-base.tar", labels={}
    )
    assert "FROM scratch AS base\nADD layers/00-base.tar /" in text


def test_values_are_taken_literally() -> None:
    text = render(environment={"GREETING": 'a "b" $HOME \\ c'})
    assert 'ENV GREETING="a \\"b\\" \\$HOME \\\\ c"' in text


def test_a_line_break_cannot_smuggle_an_instruction() -> None:
    with pytest.raises(ValueError, match="line break"):
        render(environment={"A": "b\nRUN evil"})


def test_rendering_is_repeatable() -> None:
    assert render() == render()


def test_install_script_names_every_package_and_cleans_up() -> None:
    script = render_install_script(make_lock(), 1793491200)
    assert '"$here/libgomp1_12.2.0-14_amd64.deb"' in script
    assert "SOURCE_DATE_EPOCH=1793491200" in script
    assert "rm -rf /var/lib/apt/lists/*" in script


def test_without_packages_apt_is_not_called() -> None:
    assert "apt-get" not in render_install_script(make_lock(debian=()), 0)
