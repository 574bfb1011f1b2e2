"""Who reads: towers that give a vector for each different text, and what makes numbers of texts for them."""
