"""A self-hosted twin of Labelbox's API for model runs."""
