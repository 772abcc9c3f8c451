"""What a page of runs holds, gathered from ledger and history."""
