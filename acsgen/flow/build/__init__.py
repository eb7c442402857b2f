"""``acsgen build``: from a model file to a hardware project that is proved bit-exact."""

from acsgen.flow.build.pipeline import BuildResult, build
from acsgen.flow.build.work import BuildRequest

__all__ = ["BuildRequest", "BuildResult", "build"]
