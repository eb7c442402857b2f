"""The roads through all stages: each is a command, without its command line."""
