"""What is made of the ranks: the metrics, their values per query, ceilings, slices, and what other projects print."""
