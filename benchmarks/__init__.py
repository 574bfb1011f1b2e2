"""What is measured, against whom. Run by hand or by `make bench`; never part of the tests."""
