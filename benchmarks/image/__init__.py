"""The image benchmark."""
