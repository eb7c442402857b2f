"""Lets ``python -m acsgen`` do what ``acsgen`` does."""

from acsgen.cli import main

if __name__ == "__main__":
    main()
