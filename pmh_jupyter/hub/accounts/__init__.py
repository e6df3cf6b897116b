"""The hub's own accounts: people sign up with a join code, log in, and change or reset a password."""
