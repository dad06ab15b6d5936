"""Prediction: label maps by sliding window, image-level classes in batches, and exported models."""
