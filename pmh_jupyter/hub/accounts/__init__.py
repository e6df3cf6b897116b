"""The hub's own accounts: sign up with a join code, log in, change and reset a password."""
