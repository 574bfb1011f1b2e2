"""Layer 1: videos to frames. The readers come with issue B; nothing above may rely on pixels until then."""
