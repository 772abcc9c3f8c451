"""Commands about results: check and audit."""
