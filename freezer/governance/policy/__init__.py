"""What is allowed: the policy of a project, its rules, and what breaks them. Pure."""
