"""The Debian packages: how they are built, signed and laid out for apt. Not part of the installed program."""
