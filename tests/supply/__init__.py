"""What the program is made of: libraries, licences, weaknesses that are known, support."""
