"""The engines that run a program: each a folder, and a board around them for the driver."""
