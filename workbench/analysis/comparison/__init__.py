"""Runs against each other: two, many, and a run against its own ablations."""
