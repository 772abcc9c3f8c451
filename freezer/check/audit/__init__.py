"""What an audit varies, what each variation does to the results, and what is documented."""
