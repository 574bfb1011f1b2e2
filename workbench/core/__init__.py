"""Layer 0: errors, optional imports, look-ups, workspace, files, locks, progress, jobs, seeds. No domain knowledge."""
