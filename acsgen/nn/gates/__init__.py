"""Modules that decide which channels are computed, and what they are made of."""
