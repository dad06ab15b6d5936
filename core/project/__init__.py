"""The project store: cases, classes, annotations, splits, runs and predictions; torch-free."""
