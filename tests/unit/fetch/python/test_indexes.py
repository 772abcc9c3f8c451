"""Which indexes are asked, by whose wish, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from freezer.errors import ConfigError, HostError
from freezer.fetch.config import Config
from freezer.fetch.python.pip_config import PipSettings, pip_settings
from freezer.fetch.python.settings import Indexes, IndexOptions, as_url, indexes, with_options

PIPS = PipSettings(
    index_url="https://pip/simple",
    extra_index_urls=("https://pip-extra/simple",),
    find_links=("/wheels",),
    certificates="/ca.pem",
)


def configured(**pypi: Any) -> Config:
    return Config.model_validate({"sources": {"pypi": pypi}})


def chosen(environment: dict[str, str] | None = None, **pypi: Any) -> Indexes:
    return indexes(configured(**pypi), environment or {}, lambda: PIPS)


def test_pips_configuration_is_the_default() -> None:
    assert chosen() == Indexes(
        index_url="https://pip/simple",
        extra_index_urls=("https://pip-extra/simple",),
        find_links=("file:///wheels",),
        strategy="unsafe-best-match",
        certificates="/ca.pem",
    )


def test_freezers_own_index_replaces_the_public_one_whole() -> None:
    found = chosen(index_url="https://own/simple")
    assert found.index_urls == ("https://own/simple",)
    assert found.find_links == ("file:///wheels",)


def test_freezers_own_further_indexes_shadow_the_public_one() -> None:
    found = chosen(extra_index_urls=["https://own/simple"], find_links=[])
    assert found.index_urls == ("https://own/simple", "https://pip/simple")
    assert found.strategy == "first-index"
    assert found.find_links == ()


def test_pips_configuration_is_not_read_where_nothing_of_it_counts() -> None:
    def fails() -> PipSettings:
        raise HostError("broken")

    own = {"index_url": "https://own/simple", "extra_index_urls": [], "find_links": []}
    assert indexes(configured(**own), {}, fails).index_urls == ("https://own/simple",)


@pytest.mark.parametrize(
    "environment",
    [
        {"UV_DEFAULT_INDEX": "https://uv/simple"},
        {"UV_INDEX_URL": "https://uv/simple"},
        {"UV_DEFAULT_INDEX": "name=https://uv/simple", "UV_INDEX_URL": "https://old"},
    ],
)
def test_uvs_environment_goes_before_pips_configuration(environment: dict[str, str]) -> None:
    found = chosen(environment)
    assert found.index_urls == ("https://uv/simple",)
    assert found.strategy == "first-index"


def test_uvs_further_indexes_and_links() -> None:
    found = chosen(
        {
            "UV_INDEX": "a=https://a/simple https://b/simple?x=y",
            "UV_EXTRA_INDEX_URL": "https://c/simple",
            "UV_FIND_LINKS": "/one,https://two/",
        }
    )
    assert found.extra_index_urls == (
        "https://a/simple",
        "https://b/simple?x=y",
        "https://c/simple",
    )
    assert found.index_url == "https://pip/simple"
    assert found.find_links == ("file:///one", "https://two/")


@pytest.mark.parametrize("wish", ["first-index", "unsafe-best-match"])
def test_a_wish_for_a_strategy_counts(wish: str) -> None:
    assert chosen({"UV_INDEX_STRATEGY": wish}).strategy == wish


UV_TOML = """\
index-strategy = "unsafe-best-match"
find-links = ["./wheels", "https://links/"]
[[index]]
url = "https://first/simple"
[[index]]
name = "only-for-some"
url = "https://explicit/simple"
explicit = true
[[index]]
url = "https://mirror/simple"
default = true
"""


def uv_toml(folder: Path, text: str) -> dict[str, str]:
    (folder / "uv").mkdir(parents=True)
    (folder / "uv" / "uv.toml").write_text(text)
    return {"XDG_CONFIG_HOME": str(folder), "XDG_CONFIG_DIRS": "/nowhere"}


def test_uvs_user_configuration_goes_before_pips(tmp_path: Path) -> None:
    found = chosen(uv_toml(tmp_path, UV_TOML))
    assert found.index_url == "https://mirror/simple"
    assert found.extra_index_urls == ("https://first/simple",)
    assert found.strategy == "unsafe-best-match"
    assert found.find_links == ((tmp_path / "uv/wheels").as_uri(), "https://links/")


def test_uvs_environment_goes_before_its_files(tmp_path: Path) -> None:
    env = {"UV_DEFAULT_INDEX": "https://env/simple", "UV_INDEX_STRATEGY": "first-index"}
    found = chosen({**uv_toml(tmp_path, UV_TOML), **env})
    assert found.index_urls == ("https://first/simple", "https://env/simple")


@pytest.mark.parametrize("key", ["index-url", "extra-index-url", "no-index"])
def test_older_keys_and_no_index(tmp_path: Path, key: str) -> None:
    value = {"index-url": '"https://a/simple"', "extra-index-url": '["https://a/simple"]'}
    found = chosen(uv_toml(tmp_path, f"{key} = {value.get(key, 'true')}\n"))
    urls = {
        "index-url": ("https://a/simple",),
        "extra-index-url": ("https://a/simple", "https://pip/simple"),
        "no-index": (),
    }
    assert found.index_urls == (urls[key] if key != "no-index" else found.index_urls)
    assert (found.index_url is None) is (key == "no-index")


def test_the_users_file_goes_before_the_systems(tmp_path: Path) -> None:
    env = uv_toml(tmp_path / "user", 'index-url = "https://user/simple"\n')
    uv_toml(
        tmp_path / "system", 'index-url = "https://s/simple"\nextra-index-url = ["https://x"]\n'
    )
    env["XDG_CONFIG_DIRS"] = f"{tmp_path / 'none'}:{tmp_path / 'system'}"
    assert chosen(env).index_urls == ("https://x", "https://user/simple")


def test_a_named_file_is_the_only_one_and_none_may_count(tmp_path: Path) -> None:
    env = uv_toml(tmp_path, UV_TOML)
    (tmp_path / "own.toml").write_text('index-url = "https://own/simple"\n')
    named = {**env, "UV_CONFIG_FILE": str(tmp_path / "own.toml")}
    assert chosen(named).index_urls == ("https://own/simple",)
    assert chosen({**env, "UV_NO_CONFIG": "1"}) == chosen()


@pytest.mark.parametrize("text", ["index = [", "a = 1\n" * 2, "a = " + "[" * 5000])
def test_a_broken_file_of_uvs_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        chosen(uv_toml(tmp_path, text))
    assert "uv.toml" in str(caught.value)
    with pytest.raises(HostError, match="cannot be read"):
        chosen({"UV_CONFIG_FILE": str(tmp_path / "nonesuch.toml")})


@pytest.mark.parametrize("text", ["index = 3", "index = [3]", "index-url = 3", "find-links = {}"])
def test_values_of_another_shape_are_as_none(tmp_path: Path, text: str) -> None:
    assert chosen(uv_toml(tmp_path, text)) == chosen()


def test_pip_may_be_configured_to_have_no_index() -> None:
    found = indexes(Config(), {}, lambda: PipSettings(index_url="https://pip", no_index=True))
    assert found.index_url is None


def test_options_of_requirements_files_are_laid_over() -> None:
    base = chosen(index_url="https://own/simple")
    options = IndexOptions(None, ("https://x/simple", "https://x/simple"), ("file:///w",))
    found = with_options(base, options)
    assert found.index_urls == ("https://own/simple", "https://x/simple")
    assert found.strategy == "unsafe-best-match"
    assert found.find_links == ("file:///wheels", "file:///w")
    assert with_options(base, IndexOptions("https://y")).index_url == "https://y"


def test_no_index_leaves_only_links() -> None:
    found = with_options(chosen(), IndexOptions(no_index=True))
    assert found.index_urls == ()
    assert found.find_links == ("file:///wheels",)


def test_which_index_goes_first_depends_on_how_they_stand_to_one_another() -> None:
    first = Indexes("https://main", ("https://more", "https://main"))
    assert first.index_urls == ("https://more", "https://main")
    merged = Indexes("https://main", ("https://more", "https://main"), (), "unsafe-best-match")
    assert merged.index_urls == ("https://main", "https://more")


def test_paths_become_urls(tmp_path: Path) -> None:
    assert as_url("wheels", tmp_path) == (tmp_path / "wheels").as_uri()
    assert as_url("https://h/x") == "https://h/x"
    assert as_url("a folder", tmp_path).endswith("a%20folder")


# pip's configuration, through pip itself


@pytest.fixture
def pip_conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import os

    for key in list(os.environ):
        if key.startswith("PIP_"):
            monkeypatch.delenv(key)
    path = tmp_path / "pip.conf"
    monkeypatch.setenv("PIP_CONFIG_FILE", str(path))
    return path


def test_pips_file_and_environment_mean_what_they_mean_to_pip(
    pip_conf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pip_conf.write_text(
        "[global]\nindex-url = https://g/simple\nextra-index-url =\n  https://x\n  https://y\n"
        "cert = /g.pem\nno-index = yes\n[install]\nindex-url = https://i/simple\n"
        "[download]\nfind-links = /never\n"
    )
    monkeypatch.setenv("PIP_CERT", "/env.pem")
    assert pip_settings() == PipSettings(
        index_url="https://i/simple",
        extra_index_urls=("https://x", "https://y"),
        no_index=True,
        certificates="/env.pem",
    )


def test_pips_default_is_pips_own(pip_conf: Path) -> None:
    pip_conf.write_text("")
    from pip._internal.models.index import PyPI

    assert pip_settings().index_url == PyPI.simple_url


def test_a_broken_file_of_pips_is_said_without_secrets(pip_conf: Path) -> None:
    pip_conf.write_text("index-url = https://me:hunter2@h/simple\n")
    with pytest.raises(HostError, match="pip's configuration cannot be read") as caught:
        pip_settings()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("place", ["index_url", "UV_DEFAULT_INDEX", "UV_INDEX", "pip", "uv.toml"])
@pytest.mark.parametrize("address", ["h.example/simple", "ftp://h.example/x", "no url"])
def test_a_configured_index_that_is_no_address_is_refused(
    tmp_path: Path, place: str, address: str
) -> None:
    """It would be a name that no index has."""
    own = {"index_url": address} if place == "index_url" else {}
    pip = PipSettings(index_url=address if place == "pip" else PIPS.index_url)
    env = {place: address} if place.startswith("UV_") else {}
    if place == "uv.toml":
        env = uv_toml(tmp_path, f'index-url = "{address}"\n')
    with pytest.raises(ConfigError) as caught:
        indexes(configured(**own), env, lambda: pip)
    assert "neither an address nor a folder" in str(caught.value)
    assert caught.value.hint


def test_a_folder_may_be_an_index(tmp_path: Path) -> None:
    assert chosen(index_url=str(tmp_path)).index_url == tmp_path.as_uri()
