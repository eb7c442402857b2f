"""Lint of Vitis HLS C++: holds rendered sources to the language of the synthesizer.

Vitis HLS is seldom at hand where templates are changed, and a plain C++ compiler is silent about
pragmas, which it ignores, and about recursion and the heap, which it allows.  This lint parses the
sources with libclang and checks constructs, pragmas, loops and dataflow regions.  It needs the
``libclang`` package (extra ``test``) and g++ (its header folders); ``python -m acsgen.engines.lint
FOLDER`` runs it by hand.
"""

from acsgen.engines.lint.finding import Finding
from acsgen.engines.lint.lint import RULES, lint_sources

__all__ = ["RULES", "Finding", "lint_sources"]
