"""The part of Freezer that lies inside images, at ``/opt/freezer``.

Training code of one's own may use ``seed_everything``, ``worker_init``, ``split``, ``augmentation``
and ``key_seed``; ``freezer_inside.record.Recorder`` tells ``freeze check`` what was computed.
"""

from .keyed import augmentation, key_seed, split
from .seeding import seed_everything, worker_init

__all__ = ["augmentation", "key_seed", "seed_everything", "split", "worker_init"]
