"""A sign and its hub for a simulated year in one process, with faults drawn from a seed."""
