"""What hangs, dies or grows, and how the sign comes back from it."""
