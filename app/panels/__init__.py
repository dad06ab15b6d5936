"""The panels of the window; each is a `QWidget` that is given the session."""
