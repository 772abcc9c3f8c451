"""What is copied into images. Standard library only; Python 3.8 and later."""
