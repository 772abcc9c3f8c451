"""Records of trainings: the record protocol, inventories, and verdicts."""
