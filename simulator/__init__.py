"""The other end of every wire: road and traffic, radars and panels as bytes, and their faults.

A device here is physics and state, an interface is its protocol; everything moves on by `process(dt)`.
Nothing in this package is ever imported by the running daemon.
"""
