"""Towers: encoders of frames, one vector per video; a family is a folder, torch comes in with its builder."""
