"""Accounts of the hub's own: sign up with a join code, log in, change and reset a password. Credentials lie in a file of their own."""
