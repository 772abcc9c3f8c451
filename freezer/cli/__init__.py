"""One file a command: parse arguments, call one function, hand the result to an output."""
