"""Commands about recorded runs: `freeze runs list`, `show`, `query`, and the others."""
