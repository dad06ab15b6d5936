"""Pure loss functions, unreduced; what is not labelled is left out."""
