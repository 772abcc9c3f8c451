"""Trainings on a cluster: submitted, followed, cancelled, and made again there."""
