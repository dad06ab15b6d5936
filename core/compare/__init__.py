"""Fair comparisons of methods on one project, and published protocols; imports no torch."""
