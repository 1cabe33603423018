"""What this workspace brought about, kept so that it can be recalled."""
