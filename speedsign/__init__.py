"""speedsign: controller software for roadside radar speed display signs."""

__version__ = "0.1.0"
