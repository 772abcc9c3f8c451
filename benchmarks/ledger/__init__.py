"""The ledger beside MLflow's SQL store."""
