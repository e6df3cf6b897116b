"""The student's own page: progress, achievements and receipts."""

from __future__ import annotations

from typing import ClassVar

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.domain.submission import SubmissionKind
from pmh_jupyter.service import serializers
from pmh_jupyter.service.pages.classroom import ClassroomPage
from pmh_jupyter.storage.records import outline, submissions


class ProgressPage(ClassroomPage):
    """Shows the outline with every exercise, the achievements, and the receipts of submissions."""

    permission: ClassVar[Permission] = Permission.LEARN
    route_name = "page: progress"

    async def get(self, classroom: str) -> None:
        person_id = self.identity.person.id
        member_outline = await self.query(outline.load_outline, person_id, classroom)
        own_submissions = await self.query(submissions.list_submissions, person_id, classroom)
        submissions_with_receipt = [
            serializers.serialize_submission(submission)
            for submission in own_submissions
            if submission.kind is SubmissionKind.FINAL and submission.receipt
        ]
        self.render_classroom(
            "progress.html",
            "progress",
            outline=serializers.serialize_outline(member_outline),
            lesson_titles={lesson.slug: lesson.title for lesson in member_outline.lessons},
            submissions_with_receipt=submissions_with_receipt,
        )


PAGES = (("classrooms/{classroom}/progress", ProgressPage),)
