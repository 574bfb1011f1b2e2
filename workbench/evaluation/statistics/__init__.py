"""How sure numbers are: intervals, paired tests, families of tests, groups of seeds."""
