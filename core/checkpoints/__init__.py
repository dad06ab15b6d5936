"""Networks on disk: written atomically, read without running anything from the file."""
