"""What an audit finds in two minutes, and what each of its runs takes."""
