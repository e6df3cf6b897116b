"""What `pmh up` does: checks the machine, makes what is missing, starts the hub, waits until it answers, and leaves nothing behind."""
