"""What several commands about runs do alike."""
