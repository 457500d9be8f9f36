"""Tests of the arithmetic of calibration."""
