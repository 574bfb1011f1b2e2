"""Parts of pages: a function each that reads widgets, calls one function and shows the answer."""
