"""What tests share: indexes, channels, archives, registries and projects made for a test."""
