"""The Debian ecosystem: apt in the base image, and a base system made from packages alone."""
