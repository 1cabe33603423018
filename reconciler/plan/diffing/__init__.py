"""What differs, kind by kind; `plan.diff` has the whole."""
