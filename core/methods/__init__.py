"""One module a method, and the torch-free catalogue of them."""
