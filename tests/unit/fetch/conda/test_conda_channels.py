"""Channels as people write them, the names that locks keep, and what is never shown of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freezer.errors import SpecError, Where
from freezer.fetch.conda.channels import CondaChannel, default_url, read_channels
from freezer.fetch.conda.source import CondaChannels
from freezer.fetch.config import Config
from freezer.fetch.http.redact import redact, without_token
from freezer.model.artifact import Artifact
from freezer.model.lock import CondaPackage

HERE = Path("/srv/project")


def config(**conda: tuple[str, ...]) -> Config:
    return Config.model_validate(
        {"sources": {"conda": {k.replace("_", "-"): v for k, v in conda.items()}}}
    )


def read(*texts: str, settings: Config | None = None) -> dict[str, tuple[str, ...]]:
    written = [(text, Where("environment.yml", line)) for line, text in enumerate(texts, 2)]
    channels = read_channels(written, folder=HERE, config=settings or Config())
    return {channel.name: channel.urls for channel in channels}


def package(**changes: object) -> CondaPackage:
    values = {
        "source": "conda",
        "file": "numpy-2.2.1-py312_0.conda",
        "size": 3,
        "sha256": "a" * 64,
        "name": "numpy",
        "version": "2.2.1",
        "build": "py312_0",
        "build_number": 0,
        "channel": "conda-forge",
        "subdir": "linux-64",
        "reason": "asked for",
        **changes,
    }
    return CondaPackage.model_validate(values)


def test_a_name_is_served_where_rattler_has_it() -> None:
    assert read("conda-forge") == {"conda-forge": (default_url("conda-forge"),)}
    assert default_url("conda-forge").startswith("https://")
    assert not default_url("conda-forge").endswith("/")


def test_the_order_is_kept_and_repetitions_are_not() -> None:
    assert list(read("pytorch", "nvidia", "conda-forge", "pytorch")) == [
        "pytorch",
        "nvidia",
        "conda-forge",
    ]


def test_nodefaults_is_dropped_and_defaults_are_two_channels() -> None:
    assert list(read("conda-forge", "nodefaults")) == ["conda-forge"]
    assert list(read("defaults")) == ["main", "r"]


def test_a_configured_defaults_is_one_channel() -> None:
    mirror = config(defaults=("https://mirror.example/main",))
    assert read("defaults", settings=mirror) == {"defaults": ("https://mirror.example/main",)}


def test_the_default_address_written_out_is_the_same_channel() -> None:
    assert read(default_url("pytorch"), "pytorch") == {"pytorch": (default_url("pytorch"),)}


@pytest.mark.parametrize(
    ("written", "name", "url"),
    [
        ("https://conda.example/team/ml/", "team/ml", "https://conda.example/team/ml"),
        ("https://conda.example/team/linux-64", "team", "https://conda.example/team"),
        (
            "https://conda.example/t/tk-123/team",
            "team",
            "https://conda.example/t/tk-123/team",
        ),
        ("https://me:pw@conda.example/team", "team", "https://me:pw@conda.example/team"),
        ("https://conda.example", "conda.example", "https://conda.example"),
        ("file:///srv/channels/ours", "ours", "file:///srv/channels/ours"),
        ("./channel", "channel", "file:///srv/project/channel"),
        ("/srv/a b/channel", "channel", "file:///srv/a%20b/channel"),
        ("conda-forge/label/dev", "conda-forge/label/dev", default_url("conda-forge/label/dev")),
    ],
)
def test_names_hold_no_host_and_no_secret(written: str, name: str, url: str) -> None:
    assert read(written) == {name: (url,)}


def test_variables_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNEL_TOKEN", "tk-9")
    assert read("https://conda.example/t/${CHANNEL_TOKEN}/team") == {
        "team": ("https://conda.example/t/tk-9/team",)
    }
    with pytest.raises(SpecError, match="not set") as caught:
        read("https://conda.example/t/${NO_SUCH_VARIABLE}/team")
    assert str(caught.value.where) == "environment.yml:2"


def test_the_configuration_goes_before_what_is_written() -> None:
    settings = config(conda_forge=("https://one.example/cf/", "https://two.example/cf"))
    assert read("conda-forge", settings=settings) == {
        "conda-forge": ("https://one.example/cf", "https://two.example/cf")
    }


def test_a_configured_address_gives_a_url_its_name() -> None:
    settings = config(ours=("https://u:p@conda.example/t/tk-1/deep/path",))
    found = read("https://conda.example/deep/path", settings=settings)
    assert found == {"ours": ("https://u:p@conda.example/t/tk-1/deep/path",)}


def test_two_channels_of_one_name_are_refused() -> None:
    with pytest.raises(SpecError, match="both be called 'team'") as caught:
        read("https://one.example/team", "https://two.example/team")
    assert str(caught.value.where) == "environment.yml:3"
    assert "environment.yml:2" in str(caught.value)


@pytest.mark.parametrize("text", ["local", "", "!conda-forge"])
def test_what_no_other_machine_could_read_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="not a channel"):
        read(text)


def test_tokens_are_never_shown() -> None:
    url = "https://me:pw@conda.example/t/tk-123/team/linux-64/repodata.json"
    shown = redact(f"could not read {url} (timed out)")
    assert "tk-123" not in shown
    assert "pw" not in shown
    assert "conda.example/t/***/team" in shown
    assert without_token("https://conda.example/t/tk-123/team") == "https://conda.example/team"
    assert without_token("https://conda.example/team/t/x") == "https://conda.example/team/t/x"


def test_an_archive_is_looked_for_at_every_address() -> None:
    source = CondaChannels.from_config(
        Config(), [CondaChannel("conda-forge", ("file:///srv/one", "file:///srv/cf"))]
    )
    assert source.serves(package())
    assert [place.url for place in source.locate(package())] == [
        "file:///srv/one/linux-64/numpy-2.2.1-py312_0.conda",
        "file:///srv/cf/linux-64/numpy-2.2.1-py312_0.conda",
    ]


def test_archives_may_lie_apart_from_their_index(tmp_path: Path) -> None:
    """CEP 15: ``base_url``, absolute or relative to the index."""
    folder = tmp_path / "cf" / "linux-64"
    folder.mkdir(parents=True)
    source = CondaChannels.from_config(
        Config(), [CondaChannel("conda-forge", ((tmp_path / "cf").as_uri(),))]
    )
    file = package().file
    for base, found in (
        ("https://archives.example/cf/", f"https://archives.example/cf/{file}"),
        ("../../apart", f"{(tmp_path / 'apart').as_uri()}/{file}"),
    ):
        (folder / "repodata.json").write_text(json.dumps({"info": {"base_url": base}}))
        assert [place.url for place in source.locate(package())][1:] == [found]
    (folder / "repodata.json").write_text(json.dumps({"info": {"subdir": "linux-64"}}))
    assert len(list(source.locate(package()))) == 1


def test_an_address_is_looked_up_only_when_it_is_needed() -> None:
    source = CondaChannels.from_config(
        Config(), [CondaChannel("conda-forge", ("https://nowhere.invalid/cf",))]
    )
    assert next(source.locate(package())).url.startswith("https://nowhere.invalid/cf/linux-64/")


def test_epochs_in_file_names_are_quoted() -> None:
    source = CondaChannels.from_config(Config())
    place = next(source.locate(package(file="x264-1!164.3095-h1_2.tar.bz2")))
    assert place.url == f"{default_url('conda-forge')}/linux-64/x264-1%21164.3095-h1_2.tar.bz2"


def test_a_channel_known_only_from_the_configuration_is_served() -> None:
    source = CondaChannels.from_config(config(conda_forge=("https://m.example/cf",)))
    place = next(source.locate(package()))
    assert place.url.startswith("https://m.example/cf/linux-64/")


def test_other_artifacts_are_not_served() -> None:
    wheel = Artifact(source="pypi", file="a-1-py3-none-any.whl", size=1, sha256="b" * 64)
    assert not CondaChannels({}).serves(wheel)
