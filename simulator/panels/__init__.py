"""Panels: registers and LEDs, without any wire. `simulator.panel_end` joins one to a line."""
