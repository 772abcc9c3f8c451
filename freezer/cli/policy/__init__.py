"""Commands about the policy of a project: check."""
