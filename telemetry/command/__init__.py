"""Commands from afar: signed by a person's key, fresh, bounded, written down before they take effect."""
