"""Commands from afar: signed by a key that the sign's config names, fresh, bounded, audited."""
