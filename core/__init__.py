"""Everything without a pixel of user interface; the public Python API."""
