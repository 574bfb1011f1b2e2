"""What the scores of a run are like: domains, hubs, duplicates."""
