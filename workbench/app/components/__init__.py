"""Own components: Python that mounts them, beside the JavaScript and CSS that they are."""
