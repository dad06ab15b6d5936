"""Measures, intervals, reports; what the window calls of it imports neither torch nor MONAI."""
