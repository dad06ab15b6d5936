"""Files that ship with the package: icons, presets, colour tables, small samples."""
