"""What the store has becomes files of JSON lines."""
