"""All that the window, the command line or a script can ask for, one frozen dataclass each."""
