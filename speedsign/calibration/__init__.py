"""The arithmetic of field calibration: pure, without I/O and without a clock."""
