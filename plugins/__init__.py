"""The napari face: the manifest and thin functions behind it."""
