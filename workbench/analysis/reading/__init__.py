"""What stands written, what was read of it, what the model was given, and where words are lost."""
