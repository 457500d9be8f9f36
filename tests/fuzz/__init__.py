"""Bytes that nobody sends, to everything that reads bytes: docs/fuzzing.md."""
