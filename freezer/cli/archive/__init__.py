"""Commands about archives: create, list, verify, restore, prune."""
