"""Figures of the shipped networks, kept from one change to the next."""
