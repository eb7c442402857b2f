"""Training of ACS networks: recipes, the two-step loss, the loop and the evaluation."""

from acsgen.train.evaluate import Evaluation, evaluate
from acsgen.train.loop import TrainingResult, train
from acsgen.train.recipe import Recipe, load_recipe

__all__ = ["Evaluation", "Recipe", "TrainingResult", "evaluate", "load_recipe", "train"]
