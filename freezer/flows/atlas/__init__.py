"""The measured facts on libraries, as a command answers them."""
