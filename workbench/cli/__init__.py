"""Layer 7: the command ``workbench``. Every command reads its inputs, calls one function and shows one result."""
