"""What a power cut, a broken file or a full card does to the sign's store."""
