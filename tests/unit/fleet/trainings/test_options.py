"""Options of a training's job: what is read, and what is refused before anything is submitted."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import FleetError
from freezer.fleet.trainings.options import JobOptions, read_time, require_job_options


@given(st.integers(0, 99), st.integers(0, 23), st.integers(0, 59), st.integers(1, 59))
def test_slurms_own_form_of_a_time_is_read(days: int, hours: int, minutes: int, rest: int) -> None:
    text = f"{f'{days}-' if days else ''}{hours:02}:{minutes:02}:{rest:02}"
    assert read_time(text) == ((days * 24 + hours) * 60 + minutes) * 60 + rest


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86400)]
)
def test_a_duration_has_its_unit(text: str, seconds: int) -> None:
    assert read_time(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "90", "2:30", "00:00:00", "1:99:00", "-1h", "1w", "1h\n", "1 h"]
)
def test_a_time_that_may_mean_two_things_is_refused(text: str) -> None:
    with pytest.raises(FleetError, match="--time does not take"):
        read_time(text)


@given(st.text(max_size=20))
def test_any_text_is_a_time_or_an_error(text: str) -> None:
    with suppress(FleetError):
        assert read_time(text) > 0


@pytest.mark.parametrize(
    "word",
    ["--account=ml", "-A ml", "--qos=high", "--exclude=n3", "--exclusive", "--mem-per-cpu=2G",
     "--reservation=x", "--mail-type=END", "--nice"],
)  # fmt: skip
def test_other_options_of_sbatch_are_passed_on(word: str) -> None:
    require_job_options(JobOptions(sbatch=(word,)))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("--nodes=2", "--nodes"),
        ("-N2", "--nodes"),
        ("--ntasks=4", "--ntasks-per-node"),
        ("--time=10", "--time"),
        ("-t10", "--time"),
        ("--cpus-per-task=4", "resources.cpus"),
        ("--cpus-per=4", "resources.cpus"),
        ("--mem=4G", "resources.memory"),
        ("--gres=gpu:1", "--gpus-per-node"),
        ("--array=1-5", "--each"),
        ("--part=x", "--on"),
        ("--requeue", "--requeue"),
    ],
)
def test_an_option_that_freezer_derives_is_refused_with_what_to_give(
    word: str, expected: str
) -> None:
    with pytest.raises(FleetError) as caught:
        require_job_options(JobOptions(sbatch=(word,)))
    assert expected in (caught.value.expected or "")


@pytest.mark.parametrize(
    "word", ["--output=x", "-o x", "--job-name=x", "--export=ALL", "--wrap=true", "--parsable",
             "--wait", "--chdir=/", "--outp=x", "-Jx", "-QJx", "-HsvD/", "-QQW"]
)  # fmt: skip
def test_an_option_by_which_jobs_are_found_is_refused(word: str) -> None:
    with pytest.raises(FleetError, match="does not take"):
        require_job_options(JobOptions(sbatch=(word,)))


@pytest.mark.parametrize("word", ["", "ml", "--", "---x", "a=b", "--x=1\n--wrap=y", "--x=\0"])
def test_a_word_that_is_no_option_is_refused(word: str) -> None:
    with pytest.raises(FleetError, match="does not take"):
        require_job_options(JobOptions(sbatch=(word,)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"runtimes": ("docker", "lxc")}, "no container runtime 'lxc'"),
        ({"runtimes": ()}, "no container runtime"),
        ({"mixed_classes": True}, "several ranks"),
    ],
)
def test_options_that_contradict_each_other_are_refused(changes: Any, said: str) -> None:
    with pytest.raises(FleetError, match=said):
        require_job_options(JobOptions(**changes))


@pytest.mark.parametrize("word", ["-H", "-Aml", "-QH", "-qlow", "--account=ml", "--exclusive"])
def test_other_options_are_passed_on(word: str) -> None:
    require_job_options(JobOptions(sbatch=(word,)))
