"""Layer 5: recipe in, run out. Comes with issues B (demo models) and D."""
