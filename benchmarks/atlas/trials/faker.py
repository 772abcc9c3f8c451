"""Faker: made-up data."""

from typing import Any

from faker import Faker

from benchmarks.atlas.inside import operation

PACKAGE = "faker"
VERSIONS = ("40.63.0",)


def _fake(seed: int) -> Any:
    found = Faker()
    found.seed_instance(seed)
    return found


@operation("Faker.name after seed_instance", factors=("process", "hash seed"), data="100 names")
def name(seed: int) -> Any:
    fake = _fake(seed)
    return [fake.name() for _ in range(100)]


@operation(
    "Faker.address after seed_instance", factors=("process", "hash seed"), data="100 addresses"
)
def address(seed: int) -> Any:
    fake = _fake(seed)
    return [fake.address() for _ in range(100)]


@operation("Faker.text after seed_instance", factors=("process", "hash seed"), data="20 texts")
def text(seed: int) -> Any:
    fake = _fake(seed)
    return [fake.text() for _ in range(20)]
