"""The demo corpus: planned, drawn and encoded from a seed, read by the real OCR, answered by models trained on it."""
