"""The part of Freezer that lies inside images, at ``/opt/freezer``.

Training code of one's own may use ``seed_everything``, ``worker_init``, ``split``, ``augmentation``
and ``key_seed``; ``freezer_inside.record.Recorder`` tells ``freeze check`` what was computed.
"""

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .keyed import augmentation, key_seed, split
    from .seeding import seed_everything, worker_init

__all__ = ["augmentation", "key_seed", "seed_everything", "split", "worker_init"]
_PLACES = {
    "augmentation": "keyed",
    "key_seed": "keyed",
    "seed_everything": "seeding",
    "split": "keyed",
    "worker_init": "seeding",
}


def __getattr__(name: str) -> object:
    """Bring a function when it is first asked for: most programs in here need none of them."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
