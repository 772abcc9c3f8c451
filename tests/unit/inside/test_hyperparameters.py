"""Hyperparameters are read back from whatever holds them, to the last bit and with their type."""

import io
import json

import pytest

from freezer.inside.freezer_inside.hyperparameters import read, text
from freezer.inside.freezer_inside.record import PREFIX, Recorder


class Type:
    def __init__(self, name):
        self.name = name


class TorchType:
    def __str__(self):
        return "torch.float32"


class Scalar:
    """A scalar of NumPy."""

    shape = ()

    def __init__(self, value, dtype):
        self._value, self.dtype = value, Type(dtype)

    def item(self):
        return self._value


class Array:
    shape, dtype = (2, 1), Type("float32")

    def tobytes(self):
        return b"12345678"


class Tensor(Scalar):
    """A tensor of PyTorch."""

    def __init__(self, value):
        self._value, self.dtype = value, TorchType()

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return Scalar(self._value, "float32")


class Adam:
    """An optimiser of PyTorch."""

    def __init__(self, *rates):
        self.param_groups = [
            {"params": [object()], "param_names": ["w"], "lr": rate, "betas": (0.5, 0.75)}
            for rate in rates
        ]


class Keras:
    def get_config(self):
        schedule = {"class_name": "Decay", "config": {"initial_learning_rate": 0.5}}
        return {"name": "adam", "learning_rate": schedule, "beta_1": 0.75}


class Estimator:
    def get_params(self):
        return {"alpha": 0.5, "random_state": 7, "estimator": Keras(), "solver": len}


class Booster:
    """One of XGBoost: what it learnt lies beside what it was told."""

    def save_config(self):
        tree = {"eta": "0.25000006"}
        model = {"base_score": "[4.002118E-2]"}
        booster = {"tree_train_param": tree, "gbtree_model_param": {"num_trees": "8"}}
        return json.dumps(
            {"learner": {"gradient_booster": booster, "learner_model_param": model}, "version": [3]}
        )


class Light:
    params = {"learning_rate": 0.125, "verbose": -1}  # noqa: RUF012

    def model_to_string(self):
        raise AssertionError


def test_of_a_mapping():
    found = read({"lr": 0.05, "steps": 3, "nesterov": True, "clip": None})
    assert found == {
        "clip": "None",
        "learning rate": f"{(0.05).hex()} (float)",
        "nesterov": "True",
        "steps": "3",
    }


def test_of_an_optimiser_of_pytorch():
    assert read(Adam(0.5)) == {
        "betas": "(0x1.0000000000000p-1 (float), 0x1.8000000000000p-1 (float))",
        "class": f"{__name__}.Adam",
        "learning rate": "0x1.0000000000000p-1 (float)",
    }
    groups = read(Adam(0.5, Tensor(0.25)))
    assert groups["group 0: learning rate"] == "0x1.0000000000000p-1 (float)"
    assert groups["group 1: learning rate"] == "0x1.0000000000000p-2 (float32)"


def test_of_keras_with_a_schedule():
    found = read(Keras())
    assert found["beta_1"] == "0x1.8000000000000p-1 (float)"
    assert found["learning rate: config: initial_learning_rate"] == "0x1.0000000000000p-1 (float)"
    assert found["learning rate: class_name"] == "Decay"


def test_of_an_estimator_without_any_address():
    assert read(Estimator()) == {
        "alpha": "0x1.0000000000000p-1 (float)",
        "class": f"{__name__}.Estimator",
        "estimator": f"{__name__}.Keras",
        "random_state": "7",
        "solver": "builtins.len",
    }


def test_of_boosters_without_what_they_learnt():
    found = read(Booster())
    assert found.pop("class").endswith("Booster")
    assert found == {"gradient_booster: tree_train_param: eta": "0.25000006"}
    assert read(Light())["learning rate"] == "0x1.0000000000000p-3 (float)"


def test_the_type_of_a_number_is_told():
    single, double = Scalar(0.5, "float32"), Scalar(0.5, "float64")
    assert text(single) == "0x1.0000000000000p-1 (float32)"
    assert text(double) == "0x1.0000000000000p-1 (float64)"
    assert text(Array()).startswith("float32 2x1, sha256 ")


def test_what_has_no_order_is_told_in_one():
    assert text({"b": {3, 1}, "a": 1.0}) == "{a: 0x1.0000000000000p+0 (float), b: {1, 3}}"


def test_what_is_long_is_told_by_digest():
    assert read({"vocabulary": "x" * 5000})["vocabulary"].startswith("sha256 ")


def test_what_has_none_says_what_to_do():
    with pytest.raises(TypeError, match="give them by name"):
        read(object())


def test_the_record_has_them_as_settings():
    stream = io.StringIO()
    Recorder("own", stream).hyperparameters({"lr": 0.5}, "encoder")
    line = json.loads(stream.getvalue().strip().removeprefix(PREFIX))
    assert (line["kind"], line["name"]) == ("setting", "encoder: learning rate")
    assert line["value"] == "0x1.0000000000000p-1 (float)"


class Eager:
    """A tensor of TensorFlow or a variable of Keras: told only by way of NumPy."""

    shape, dtype = (), Type("float32")

    def numpy(self):
        return Scalar(0.25, "float32")


class Short(Tensor):
    """One of PyTorch in a type that NumPy has not."""

    def __init__(self, value, wide=False):
        super().__init__(value)
        self._wide = wide
        self.dtype = "torch.float32" if wide else "torch.bfloat16"

    def float(self):
        return Short(self._value, wide=True)

    def numpy(self):
        if not self._wide:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return super().numpy()


def test_of_what_only_numpy_can_tell():
    assert text(Eager()) == "0x1.0000000000000p-2 (float32)"
    assert text(Short(0.25)) == "0x1.0000000000000p-2 (bfloat16)"


def test_complex_numbers_and_bytes_are_told_by_value():
    assert text(1j) == "0x0.0p+0 0x1.0000000000000p+0j (complex)"
    assert text(1j) != text(2j)
    assert text(b"a") != text(b"b")
    assert text(b"a").startswith("bytes 1, sha256 ca978112")


class Key:
    """A key of JAX's generators, which has a type and a shape and no numbers."""

    shape, dtype = (), "key<fry>"

    def item(self):
        raise NotImplementedError("Cannot call abstract method item")


def test_of_what_has_no_numbers_its_type_is_told():
    assert text(Key()) == "key<fry>"
