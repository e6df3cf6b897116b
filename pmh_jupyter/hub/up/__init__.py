"""`pmh up`: starts a hub with everything that it needs, and stops it."""
