"""One file a page, at most a screen long; what a page computes lies in analysis, what it draws in figures."""
