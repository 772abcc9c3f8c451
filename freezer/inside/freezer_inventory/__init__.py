"""Says what in an image does the arithmetic: standard library only, Python 3.8 and later.

It is not part of images. Freezer brings it into a container for as long as it asks, so that it can
ask images of every age, and so that a better inventory makes no image another one.
"""
