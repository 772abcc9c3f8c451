"""Which words of a command line are secrets."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.fetch.http.secret_words import is_secret_name, redact_text, redact_words


@pytest.mark.parametrize(
    "name",
    ["token", "--token", "hf_token", "--hub-token", "HF_TOKEN", "apiKey", "API_KEY", "--api-key",
     "password", "db.password", "PGPASSWORD", "aws_secret_access_key", "clientSecret", "pwd",
     "use_auth_token", "MLFLOW_TRACKING_PASSWORD", "wandb-api-key"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["pad_token", "--eos-token", "tokenizer", "max-tokens", "num_tokens", "key", "sort_key",
     "author", "lr", "--stop-token", "keyboard", "secretary", "", "--", "maskToken"],
)  # fmt: skip
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("words", "shown", "secrets"),
    [
        (["--token=abc def"], ["--token=***"], ["abc def"]),
        (["--token", "abc", "x"], ["--token", "***", "x"], ["abc"]),
        (["--token", "--lr", "1"], ["--token", "--lr", "1"], []),
        (["--token"], ["--token"], []),
        (["token=abc"], ["token=***"], ["abc"]),
        (["env", "API_KEY=a=b", "./t"], ["env", "API_KEY=***", "./t"], ["a=b"]),
        (["--token", "{token}", "--password={pw}"], ["--token", "{token}", "--password={pw}"], []),
        (["--pad-token", "0"], ["--pad-token", "0"], []),
        (["https://u:p4ss@h/x"], ["https://***@h/x"], []),
        (["--key", "hf_" + "a" * 30], ["--key", "***"], ["hf_" + "a" * 30]),
        (["--password", ""], ["--password", "***"], [""]),
    ],
)
def test_words_are_recorded_without_their_secrets(words, shown, secrets) -> None:
    assert redact_words(words) == (tuple(shown), tuple(secrets))


@given(st.lists(st.text(), max_size=5))
def test_any_words_keep_their_number_and_what_is_shown_is_stable(words: list[str]) -> None:
    shown, _ = redact_words(words)
    assert len(shown) == len(words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("api_key=abc", "api_key=***"),
        ('used --hf-token="a b", lr=0.1', "used --hf-token=***, lr=0.1"),
        ("pad_token=5 max_tokens=7", "pad_token=5 max_tokens=7"),
        ("password=a;secret=b&c=d", "password=***;secret=***&c=d"),
        ("my_password = none", "my_password = none"),
        ("token=", "token="),
        ("a.b/token=x", "a.b/token=***"),
    ],
)
def test_values_of_secret_names_are_taken_out_of_any_text(text: str, expected: str) -> None:
    assert redact_text(text) == expected
    assert redact_text(expected) == expected


def test_a_long_text_takes_no_longer_than_its_length() -> None:
    for text in ("a" * 1_000_000, "a=" * 500_000, "token=" * 200_000, "-" * 1_000_000):
        started = time.monotonic()
        redact_text(text)
        assert time.monotonic() - started < 5


def test_a_secret_is_taken_out_of_any_text() -> None:
    assert redact_text("it said hunter22, and 1", ["hunter22", "1", ""]) == "it said ***, and 1"
