"""Which words of a command line are secrets."""

from __future__ import annotations

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


def test_a_secret_is_taken_out_of_any_text() -> None:
    assert redact_text("it said hunter22, and 1", ["hunter22", "1", ""]) == "it said ***, and 1"
