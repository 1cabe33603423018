"""What there is: addresses, resources and snapshots, as values."""
