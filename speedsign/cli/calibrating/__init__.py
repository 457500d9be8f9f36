"""What calibrations measure, ask and write down: parts of `speedsign calibrate` and `speedsign commission`."""
