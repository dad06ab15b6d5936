"""The window, its panels and the command line."""
