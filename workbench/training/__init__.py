"""Layer 5: recipe in, run out. The loop, checkpoints, resuming; the demo's models."""

from workbench.training.recipes import RECIPES, Recipe, load_recipe
from workbench.training.train import train

__all__ = ["RECIPES", "Recipe", "load_recipe", "train"]
