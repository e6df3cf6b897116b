"""`pmh up`: starts a hub and everything that it needs, and stops all of it on exit."""
