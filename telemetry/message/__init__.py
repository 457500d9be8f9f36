"""What a sign and a hub say to each other: how it is written, read and described."""
