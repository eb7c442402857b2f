"""Networks that a checkpoint can name."""
