"""Layer 3: torch modules, encoders, tiled scoring, and the safe reader of torch files. Imports without torch."""
