"""What an update of one package moves, beside what uv and pip-tools move."""
