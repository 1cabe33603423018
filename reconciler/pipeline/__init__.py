"""The way of the data: what every command is made of."""
