"""Recipes: YAML files, used by their bare name."""
