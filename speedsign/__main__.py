"""python -m speedsign"""

from speedsign.cli import main

main()
