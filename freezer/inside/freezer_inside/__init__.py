"""The part of Freezer that lies inside images, at ``/opt/freezer``."""
