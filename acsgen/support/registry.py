"""Registries: named implementations of one thing, each in a file of its own that adds it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Entries by name, in alphabetical order.

    Args:
        what: the kind of the entries in words, for example ``loss``.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._entries: dict[str, T] = {}

    def add(self, name: str, entry: T) -> T:
        """Add an entry and return it.

        Raises:
            ValueError: the name is taken by another entry.
        """
        if self._entries.get(name, entry) is not entry:
            raise ValueError(f"two entries for the {self.what} '{name}'")
        self._entries[name] = entry
        return entry

    def find_all(self, package: str, names: Collection[str] | None = None) -> None:
        """Import every module of a package, each of which adds the entry that it is named after.

        Args:
            package: its full name. Modules whose names begin with an underscore, and ``base``, are
                there for the others and need not add anything.
            names: where another package decides which entries there are: their names.

        Raises:
            ImportError: a module adds no entry of its name; there is no entry of one of ``names``,
                or one more.
        """
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            if module.name == "base" or module.name.startswith("_"):
                continue
            importlib.import_module(f"{package}.{module.name}")
            if module.name not in self._entries:
                raise ImportError(
                    f"{package}.{module.name} adds no {self.what} '{module.name}'",
                    name=f"{package}.{module.name}",
                )
        if names is None:
            return
        missing = [name for name in names if name not in self._entries]
        if missing:
            files = ", ".join(f"{package}.{name}" for name in missing)
            raise ImportError(f"no {self.what} '{', '.join(missing)}': add {files}", name=package)
        unknown = [name for name in self if name not in names]
        if unknown:
            raise ImportError(
                f"{package} has a {self.what} '{', '.join(unknown)}', which is not known elsewhere",
                name=package,
            )

    def known(self) -> str:
        """The names that there are, for messages."""
        return f"known: {', '.join(self)}"

    def require(self, name: object) -> str:
        """Return ``name``, which has to be that of an entry.

        Raises:
            ValueError: no entry has that name; the message lists the names of all.
        """
        if not isinstance(name, str) or name not in self._entries:
            raise ValueError(f"unknown {self.what} '{name}' ({self.known()})")
        return name

    def __getitem__(self, name: str) -> T:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
