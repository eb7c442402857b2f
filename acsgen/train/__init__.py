"""Training of networks with channel skipping: recipes, losses, the loop, and validation."""

from acsgen.train.loop import TrainingResult, train
from acsgen.train.recipe import Recipe, load_recipe
from acsgen.train.validate import Validation, validate

__all__ = ["Recipe", "TrainingResult", "Validation", "load_recipe", "train", "validate"]
