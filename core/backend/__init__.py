"""Devices, the arbiter, the compute process, events and handles; it knows no method."""
