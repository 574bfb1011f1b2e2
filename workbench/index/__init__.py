"""Layer 2: BM25 and faiss search over arrays and tables. Comes with issue B."""
