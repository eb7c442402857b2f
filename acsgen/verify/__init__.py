"""Proves that an engine computes what the golden model computes: ``==`` on every word."""

from acsgen.verify.compare import Verification, verify_engine

__all__ = ["Verification", "verify_engine"]
