"""What every other folder uses: errors for people, files, tools, digests, the build cache."""
