"""What auditors and teams look back at: the evidence about an environment, the retrospective."""
