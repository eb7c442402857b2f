"""Layouts of other code bases' weights: each a file of its own, found when this is imported."""

from acsgen.importers.layouts.base import LAYOUTS, Layout, Reading, Weights

__all__ = ["LAYOUTS", "Layout", "Reading", "Weights"]

LAYOUTS.find_all(__name__)
