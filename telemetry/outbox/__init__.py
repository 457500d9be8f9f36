"""What a sign keeps until the hub has it, and how it is sent: in which order, how often."""
