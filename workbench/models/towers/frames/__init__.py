"""Who sees: towers that give a vector for each frame of a video, whatever they are made of."""
