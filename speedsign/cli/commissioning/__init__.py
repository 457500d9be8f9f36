"""The steps of `speedsign commission`: what is asked, measured and shown, one step a module."""
