"""How the tests are dealt to processes, so that a process that dies costs the report one test.

``--dist loadgroup`` of pytest-xdist 3.8 puts the test that killed a worker back into its queue,
where it kills the next one. It also hands tests to a worker that has not yet told its collection: a
KeyError then ends the run as an INTERNALERROR, without any summary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadGroupScheduling

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController


class CrashSafeScheduling(LoadGroupScheduling):
    """``loadgroup``, except that the test a worker died in is not run again."""

    def remove_node(self, node: WorkerController) -> str | None:
        """Give back the unfinished tests of ``node``; returns the one that it died in, if any."""
        units = self.assigned_work.pop(node)
        unfinished = [
            (unit, test) for unit in units.values() for test, done in unit.items() if not done
        ]
        if not unfinished:
            return None
        unit, crashed = unfinished[0]
        unit[crashed] = True
        self.workqueue.update(
            {scope: unit for scope, unit in units.items() if not all(unit.values())}
        )
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        """A worker that replaces another is given work once it has collected its tests."""
        if node in self.registered_collections:
            super()._reschedule(node)
