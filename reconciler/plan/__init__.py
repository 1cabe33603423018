"""What to do, as a value: pure, printable, comparable, and done by others."""
