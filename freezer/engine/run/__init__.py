"""Running a container: confinement, CPU sets, output, and removal of what was left behind."""
