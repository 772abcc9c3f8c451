"""What `freeze run` mounts into a container; images do not hold it. Python 3.8 and later.

A training imports from here what it records by one line each: splits and folds by key, the order of
samples, augmentation, preprocessing, optimisers, schedules, tensors.
"""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .augmentation import Augmentation, digest_samples
    from .folds import fold_keys, stratify_keys
    from .keys import key_number
    from .order import order_keys
    from .recording import (
        record_filter,
        record_optimizer,
        record_params,
        record_preprocessing,
        record_schedule,
    )
    from .resuming import resume_path
    from .splits import split_keys
    from .tensors import record_tensor

__all__ = [
    "Augmentation",
    "digest_samples",
    "fold_keys",
    "key_number",
    "order_keys",
    "record_filter",
    "record_optimizer",
    "record_params",
    "record_preprocessing",
    "record_schedule",
    "record_tensor",
    "resume_path",
    "split_keys",
    "stratify_keys",
]
_PLACES = {
    "Augmentation": "augmentation",
    "digest_samples": "augmentation",
    "fold_keys": "folds",
    "key_number": "keys",
    "order_keys": "order",
    "record_filter": "recording",
    "record_optimizer": "recording",
    "record_params": "recording",
    "record_preprocessing": "recording",
    "record_schedule": "recording",
    "record_tensor": "tensors",
    "resume_path": "resuming",
    "split_keys": "splits",
    "stratify_keys": "folds",
}


def __getattr__(name: str) -> object:
    """Import a function when it is first used: the runner itself needs none of them."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
