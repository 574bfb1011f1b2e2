"""Layer 1: text in frames. Engines and importers come with issue B."""
