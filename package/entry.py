"""Called by the command beside it: -I lets nothing of the user's environment in."""

from speedsign.cli import main

main(prog_name="speedsign")
