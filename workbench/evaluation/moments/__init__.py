"""Spans of time in videos: metrics, table, overlap."""
