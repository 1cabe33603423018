"""What the twin remembers: the only package that knows SQL."""
