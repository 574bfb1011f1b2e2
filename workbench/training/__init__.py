"""Layer 5: recipe in, run out. The loop, checkpoints, resuming, curves; the demo's models."""

from workbench.training.estimate import Estimate, estimate
from workbench.training.groups import train_seeds
from workbench.training.keys import recipe_keys, recipe_list
from workbench.training.recipes import RECIPES, Recipe, check_keys, load_recipe
from workbench.training.recorder import Recorder
from workbench.training.selection import SelectionScore, SelectSplit
from workbench.training.trackers import Tracker
from workbench.training.train import train
from workbench.training.watching import Progress, progress_of

__all__ = [
    "RECIPES",
    "Estimate",
    "Progress",
    "Recipe",
    "Recorder",
    "SelectSplit",
    "SelectionScore",
    "Tracker",
    "check_keys",
    "estimate",
    "load_recipe",
    "progress_of",
    "recipe_keys",
    "recipe_list",
    "train",
    "train_seeds",
]
