"""A module is a target: `target(data)` asserts, `seeds()` gives what is genuine. See docs/fuzzing.md."""
