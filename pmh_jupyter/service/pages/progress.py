"""A student's own page: where I stand, what I earned, what I handed in."""

from __future__ import annotations

from typing import ClassVar

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.domain.work import Kind
from pmh_jupyter.service import shown
from pmh_jupyter.service.pages.classroom import ClassroomPage
from pmh_jupyter.storage.records import outline, work


class Progress(ClassroomPage):
    """The outline with every exercise, achievements, and receipts."""

    permission: ClassVar[Permission] = Permission.LEARN
    route_name = "page: progress"

    async def get(self, classroom: str) -> None:
        database, person = self.service.database, self.standing.person.id
        seen = await self.service.run(outline.outline, database, person, classroom)
        own = await self.service.run(work.own_work, database, person, classroom)
        handed_in = [shown.own_work(one) for one in own if one.kind is Kind.SUBMISSION and one.receipt]
        self.render_classroom("progress.html", "progress", outline=shown.map_of(seen), receipts=handed_in)


PAGES = (("classrooms/{classroom}/progress", Progress),)
