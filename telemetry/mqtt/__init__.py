"""MQTT 5 on a thread of its own, the same for both ends: what is sent, heard, refused."""
