"""Why queries fail: the causes, what each is told by, thresholds, and what fixing each would give."""
