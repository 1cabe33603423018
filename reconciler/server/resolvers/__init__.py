"""Fields of the schema that something must be looked up or done for."""
