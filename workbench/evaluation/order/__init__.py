"""Whether rows and columns follow the captions, and named orders of a corpus."""
