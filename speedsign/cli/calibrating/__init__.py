"""What calibrations measure, ask and write down, for `speedsign calibrate` and `speedsign commission`."""
