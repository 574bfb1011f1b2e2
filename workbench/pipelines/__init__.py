"""Layer 4: what joins the parts: prepare and check data sets, import foreign scores into runs."""
