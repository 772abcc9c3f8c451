"""Every fault of a spec is named with its line, its key, and what to write instead."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freezer.errors import SpecError
from freezer.frameworks import trainings
from freezer.model.spec.moment import parse_moment
from freezer.model.spec.schema import spec_schema
from freezer.model.spec.validate import parse_spec, place
from freezer.model.yaml_document import read_yaml

GOOD = """\
name: demo
base: {bootstrap: bookworm}
python: "3.11"
"""


def parse(text: str):
    return parse_spec(text.encode(), "freeze.yaml", trainings())[0]


def fault(text: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        parse(text)
    return caught.value


def test_the_shortest_spec_has_defaults():
    spec = parse(GOOD)
    assert spec.platform == "linux/amd64"
    assert spec.pip.requirements == ()
    assert spec.smoke.cpus == 1


@pytest.mark.parametrize(
    ("written", "files", "requirements"),
    [
        ("pip: requirements.in", ("requirements.in",), ()),
        ("pip: [numpy, 'torch==2.13.0']", (), ("numpy", "torch==2.13.0")),
        ("pip: {files: [a.txt], requirements: [b]}", ("a.txt",), ("b",)),
    ],
)
def test_every_form_of_pip_is_the_full_form(written, files, requirements):
    pip = parse(GOOD + written).pip
    assert (pip.files, pip.requirements) == (files, requirements)


@pytest.mark.parametrize(
    ("written", "system"),
    [
        ("system: auto", ("auto",)),
        ("system: [gcc, auto]", ("gcc", "auto")),
        ("system: []", ()),
    ],
)
def test_every_form_of_system_is_a_list_and_the_schema_has_it(written, system):
    spec = parse(GOOD + written)
    assert spec.system == system
    value = read_yaml(written.encode(), "freeze.yaml").values["system"]
    allowed = spec_schema(trainings())["properties"]["system"]["anyOf"]
    form = "array" if isinstance(value, list) else value
    assert form in [one.get("type", one.get("const")) for one in allowed]


def test_a_moment_may_be_written_in_any_zone():
    assert parse(GOOD + "as-of: 2026-11-01T02:00:00+02:00").as_of == "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        (GOOD + "pyton: 3", 4, "pyton", "did you mean 'python'?"),
        (GOOD + "smoke:\n  cpu: 2", 5, "smoke.cpu", "did you mean 'cpus'?"),
        (GOOD + "smoke: {cpus: none}", 4, "smoke.cpus", "a whole number of CPUs"),
        (GOOD + "smoke: {memory: 2 GB}", 4, "smoke.memory", "such as 2g"),
        (GOOD + "as-of: 2026-11-01", 4, "as-of", "2026-11-01T00:00:00Z"),
        (GOOD + "as-of: yesterday", 4, "as-of", "2026-11-01T00:00:00Z"),
        (GOOD + "conda: [numpy]", 4, "conda", "a mapping of channels and dependencies"),
        (GOOD + "conda: {channels: [x]}", 4, "conda", "environment.yml"),
        (GOOD + "accelerator: {cuda: 12}", 4, "accelerator.cuda", "such as \"12.4\""),
        (GOOD + "blas: atlas", 4, "blas", "openblas, mkl, netlib or blis"),
        (GOOD + "platform: windows", 4, "platform", "linux/amd64 or linux/arm64"),
        (GOOD + "system: [GCC]", 4, "system[0]", "a list of Debian packages"),
        (GOOD + "system: gcc", 4, "system", "such as [gcc, libgomp1=12.2.0-14], or auto"),
        (GOOD + "pip: {files: [../x.txt]}", 4, "pip.files[0]", "without '.', '..'"),
        (GOOD + "env: {A: \"x\\ny\"}", 4, "env.A", "one line"),
        (GOOD + "name: again", 4, "name", "first on line 1"),
        ("name: demo\nbase: x\npython: 3.11.2\n", 3, "python", "the base decides the patch"),
        ("name: Demo\nbase: x\npython: '3.11'\n", 1, "name", "lower-case letters"),
        ("name: demo\npython: '3.11'\n", None, "base", "is missing"),
    ],
)  # fmt: skip
def test_a_fault_says_where_and_what_to_write(text, line, key, says):
    error = fault(text)
    assert error.where is not None
    assert (error.where.key, says in str(error)) == (key, True), str(error)
    if line is not None:
        assert error.where.line == line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("- a\n- b\n", "mapping"),
        ("name: [", "not valid YAML"),
        ("name:\n\t- x", "tab"),
        ("name: &a x\nbase: *a", "anchors"),
        ("name: !!python/object:os.system x", "a tag"),
        ("? [a]\n: b", "key"),
        ("name: " + "[" * 100_000, "over 32 levels deep"),
    ],
)
def test_what_is_not_a_spec_at_all_is_said_so(text, says):
    assert says in str(fault(text))


def test_all_faults_are_named_at_once():
    error = fault("name: X\nbase: y\npython: 2\nsmoke: {cpus: 0}\n")
    assert [str(detail).split(":")[1].split(" ")[0] for detail in error.details] == ["1", "3", "4"]


def test_a_union_names_what_is_wrong_inside_it():
    error = fault("name: demo\nbase: {suite: x}\npython: '3.11'\n")
    assert "'bootstrap' is missing" in str(error)
    assert "unknown key 'suite'" in str(error)
    assert "unusable" not in str(error)


def test_bytes_that_are_not_text():
    with pytest.raises(SpecError, match="not UTF-8"):
        parse_spec(b"name: \xff", "freeze.yaml", trainings())


def test_a_key_can_be_placed_later():
    _, document = parse_spec(GOOD.encode() + b"env:\n  A: b\n", "freeze.yaml", trainings())
    assert str(place(document, "freeze.yaml", "env", "A")) == "freeze.yaml:5 (env.A)"


@given(st.text(max_size=200))
def test_no_text_makes_it_fail_otherwise(text):
    with contextlib.suppress(SpecError):
        parse_spec(text.encode("utf-8", "surrogatepass"), "freeze.yaml", trainings())


@pytest.mark.parametrize(
    ("written", "run", "files"),
    [
        ("steps: [make]", ("make",), ()),
        ("steps: {run: [make], files: [a/Makefile]}", ("make",), ("a/Makefile",)),
        ("steps:\n  - |\n    a\n    b\n", ("a\nb\n",), ()),
    ],
)
def test_every_form_of_steps_is_the_full_form(written, run, files):
    steps = parse(GOOD + written).steps
    assert (steps.run, steps.files) == (run, files)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("steps: make", "a list of shell commands"),
        ("steps: []", "'steps'"),
        ("steps: {files: [a]}", "'run' is missing"),
        ("steps: {run: [make], file: [a]}", "did you mean 'files'?"),
        ("steps: {run: [make], files: [../a]}", "without '.', '..'"),
        ('steps: ["a\\0b"]', "'steps'"),
    ],
)
def test_unusable_steps_are_named(written, said):
    assert said in str(fault(GOOD + written))


@pytest.mark.parametrize(
    "moment",
    [
        "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00",
        "1969-12-31T00:00:00Z", "1979-12-31T23:59:59Z", "9999-12-31T23:59:59Z",
        "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z",
    ],
)  # fmt: skip
def test_moments_that_no_clock_or_archive_has_are_refused(moment: str) -> None:
    text = f'name: a\nbase: b\npython: "3.11"\npip: [a]\nas-of: {moment}\n'
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert caught.value.where is not None
    assert str(caught.value.where) == "freeze.yaml:5 (as-of)"
    with pytest.raises(SpecError, match="--as-of is not a moment"):
        parse_moment(moment, "--as-of")


@pytest.mark.parametrize("moment", ["1980-01-01T00:00:00Z", "9998-12-31T23:59:59+01:00"])
def test_the_first_and_the_last_moment(moment: str) -> None:
    assert parse_moment(moment, "--as-of")[:4] == moment[:4]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("pip: {files: r.txt}", "a list"), ("why: 3", "a mapping"), ("env: [a]", "a mapping")],
)
def test_types_are_named_as_in_yaml(text: str, expected: str) -> None:
    spec = f'name: a\nbase: b\npython: "3.11"\n{text}\n'
    with pytest.raises(SpecError) as caught:
        parse(spec)
    assert expected in str(caught.value.expected)
    assert "tuple" not in str(caught.value)
