"""Rewrites of the operator graph, each in a file of its name; the last makes the layer graph."""
