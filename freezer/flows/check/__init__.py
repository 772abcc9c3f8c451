"""`freeze check` and `freeze audit`: run the trainings, compare, record, and give a verdict."""
