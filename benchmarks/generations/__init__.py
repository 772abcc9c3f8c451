"""What ten generations of one environment take."""
