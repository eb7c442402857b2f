"""``acsgen build``: from a model file to a hardware project that is proved bit-exact."""

from acsgen.flow.build.pipeline import BuildRequest, BuildResult, build

__all__ = ["BuildRequest", "BuildResult", "build"]
