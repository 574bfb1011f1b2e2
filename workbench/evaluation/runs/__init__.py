"""Runs on disk: open, save, keep."""
