"""The demo's small towers: hashed n-grams of words, and a convolution over frames; from scratch, on a CPU."""
