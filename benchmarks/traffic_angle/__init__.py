"""Whether traffic tells at which angle a radar reads it, where the truth is known."""
