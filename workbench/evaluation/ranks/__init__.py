"""Where the right items stand: counts per query under ties, from one pass over a matrix or over passing blocks."""
