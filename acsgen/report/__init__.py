"""What a build reports."""
