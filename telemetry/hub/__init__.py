"""The other end: what signs send is stored, once, and only then acknowledged."""
