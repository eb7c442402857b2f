"""Tools of every other folder: errors for people, files, tools, digests, the build cache."""
