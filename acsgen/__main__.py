"""Lets ``python -m acsgen`` do the same as ``acsgen``."""

from acsgen.cli import main

if __name__ == "__main__":
    main()
