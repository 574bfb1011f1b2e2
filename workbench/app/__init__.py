"""Layer 7: the app. Pages read widgets, call one function of the layers below, and show what it gives."""
