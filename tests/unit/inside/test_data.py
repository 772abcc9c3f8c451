"""Training data is the same bits everywhere."""

from freezer.inside.freezer_inside.data import classification, digests, dyadic, splitmix64


def test_splitmix64_gives_its_published_values():
    # First values for seed 1234567, as in the reference implementation (Vigna, public domain).
    assert splitmix64(1234567, 3) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_values_are_exact_in_half_precision():
    data = classification(1, rows=64, columns=8, classes=4)
    assert all(value * 16 == int(value * 16) and -4 <= value < 4 for value in data.features)
    assert set(data.labels) == {0, 1, 2, 3}


def test_weights_are_exact_in_single_precision():
    values = dyadic(7, 1000, bits=12, scale=14)
    assert all(value * 2**14 == int(value * 2**14) and abs(value) <= 0.125 for value in values)


def test_the_digests_are_known():
    found = dict(digests(classification(1234, rows=2048, columns=64, classes=10)))
    assert found == {
        "features": "6c1ada21eb71d1bd1cce8f44c5f14fc0fa7cc9418dc3b75a0c1aebba10213832",
        "labels": "b0648fcabb47741586ea18855ecda69f9c07d9778ad9bea9dff8ca51628d3e25",
    }


def test_another_seed_is_other_data():
    assert digests(classification(1, 8, 8, 2)) != digests(classification(2, 8, 8, 2))
