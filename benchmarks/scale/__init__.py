"""What commands take in a project with many generations and environments."""
