"""What holds for all tests."""

from hypothesis import settings

settings.register_profile("freezer", deadline=None)  # how long an example takes is the machine's
settings.load_profile("freezer")
