"""Results of trainings on a cluster: from the spool folder into the ledger, once."""
