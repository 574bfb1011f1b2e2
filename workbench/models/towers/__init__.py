"""Towers: who sees frames and who reads texts (``choices``); a family is a folder, torch comes in with its builder."""
