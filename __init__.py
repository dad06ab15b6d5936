"""Longtail: imbalanced medical images, from the first look at a data set to the last report."""
