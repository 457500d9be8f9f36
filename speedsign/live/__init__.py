"""What a running sign tells those who look at it: by a Unix socket, to nobody else."""
