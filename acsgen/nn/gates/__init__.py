"""Modules that decide which channels are computed, and their parts."""
