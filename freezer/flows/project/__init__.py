"""The project on disk: environments, specs, the lock file mutex, git, and the user's own files."""
