"""What the commands of ``freeze ci`` share."""
