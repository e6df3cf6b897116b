/**
 * A small classroom: one lesson with two exercises.
 */
import type { EventReply, ExerciseReply, LessonReply, OutlineReply, VerdictReply, WorkReply } from '../src/wire';

export function exercise(gradeId: string, change: Partial<ExerciseReply> = {}): ExerciseReply {
  return {
    grade_id: gradeId,
    title: `Exercise ${gradeId}`,
    notebook: 'lesson.ipynb',
    solution_cells: [gradeId],
    test_cells: [`test-${gradeId}`],
    state: 'new',
    points: 0,
    max_points: 2,
    tries: 0,
    hints: [],
    ...change
  };
}

export function lesson(change: Partial<LessonReply> = {}): LessonReply {
  return {
    slug: 'values',
    title: 'Values and names',
    release: 'a'.repeat(64),
    notebooks: ['lesson.ipynb'],
    state: 'new',
    points: 0,
    max_points: 4,
    solved: 0,
    exercises: [exercise('swap'), exercise('round')],
    opens_at: null,
    due_at: null,
    closes_at: null,
    attempts_left: null,
    submitted_at: null,
    checks: 'all',
    ...change
  };
}

export function outline(change: Partial<OutlineReply> = {}): OutlineReply {
  return {
    classroom: {
      slug: 'spring',
      title: 'Spring',
      role: 'student',
      time_zone: 'Europe/Zurich',
      course: 'python-mastery',
      course_title: 'Python Mastery'
    },
    units: [{ title: 'First steps', lessons: [lesson()], solved: 0, total: 2 }],
    points: 0,
    max_points: 4,
    solved: 0,
    total: 2,
    continue_with: 'values',
    awards: [],
    last_event: 7,
    ...change
  };
}

export function verdict(gradeId: string, change: Partial<VerdictReply> = {}): VerdictReply {
  return {
    grade_id: gradeId,
    title: `Exercise ${gradeId}`,
    outcome: 'failed',
    points: 0,
    max_points: 2,
    message: '',
    tests: [],
    ...change
  };
}

export function work(id: string, change: Partial<WorkReply> = {}): WorkReply {
  return {
    id,
    kind: 'check',
    classroom: 'spring',
    lesson: 'values',
    release: 'a'.repeat(64),
    state: 'graded',
    received_at: '2026-03-02T10:00:00Z',
    graded_at: '2026-03-02T10:00:01Z',
    position: null,
    verdicts: [verdict('swap')],
    healed: [],
    fault: '',
    receipt: null,
    ...change
  };
}

export function event(number: number, kind = 'submission-graded', data: EventReply['data'] = {}): EventReply {
  return { number, kind, at: '2026-03-02T10:00:00Z', data };
}
