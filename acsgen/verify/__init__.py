"""Proves that an engine computes the same as the golden model: ``==`` on every word."""

from acsgen.verify.compare import Verification, verify_engine

__all__ = ["Verification", "verify_engine"]
