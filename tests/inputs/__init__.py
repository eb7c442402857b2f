"""Damaged and hostile files, for everything that the product reads."""
