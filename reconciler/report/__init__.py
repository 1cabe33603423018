"""Values to words: for a terminal, for a program, for a pull request."""
