"""Python indexes and wheels made for tests."""
