"""The questions we ask the database: one transaction each, plain values of `domain` in and out, synchronous.

Every function takes the `Database` first; people are UUIDs, classrooms, courses and lessons their slugs. Each raises what its
docstring says, and Unavailable when the database cannot be reached, is locked for too long or is full.

people      find(name) → Person | None · find_or_create(name) → Person · get(person) → Person · rename(person, name) → Person
members     memberships(person) → (Membership, …) · membership(person, classroom) → Membership
            set_member(person, classroom, role) → Membership · add_join_code(classroom, role, code)
            join(person, code) → Membership
courses     save_course_version(course, releases by lesson slug) → CourseVersion · newest_version(course) → int
classrooms  ensure_classroom(slug, title, time_zone, course) → Classroom · classrooms() → (Classroom, …)
            adopt(classroom, course, number=None) → Classroom
            set_assignment(classroom, lesson, schedule=WallSchedule, attempts=None, weight=1, checks="all")
limits      get_limits(person, classroom, lesson) → AssignmentLimits · set_limits(person, classroom, lesson, AskedLimits)
outline     outline(person, classroom) → Outline
lessons     lesson_files(person, classroom, lesson) → LessonFiles · mark_opened(person, classroom, lesson, release)
work        receive(NewWork, sign) → Work · get_work(work, person) → Work
            own_work(person, classroom, lesson=None, limit=100) → (Work, …)
jobs        claim_next(worker, lease_seconds=60) → Job | None · heartbeat(job, worker, lease_seconds=60) → bool
            complete(job, Grading) → Work · give_back(job, worker, tried=…) · queue_length() → int
events      events_since(person, classroom, after, limit=200) → (Event, …) · latest_number(classroom) → int
            latest_numbers() → {classroom: int}
staff       board(classroom, page=1, per_page=50) → Board · staff_work(classroom, work) → StaffWork
            member_work(classroom, person, lesson=None, limit=100) → (StaffWork, …)
replay      standing(classroom) → Standing · replay(classroom) → Standing · rebuild_awards(classroom) → Standing

`lookup`, `standing`, `reading_work` and `gradings` are what these share, and take a session.
"""
