/**
 * Sample messages of a small classroom: one lesson with two exercises.
 */
import type {
  EventReply,
  ExerciseReply,
  LessonReply,
  MessageReply,
  OutlineReply,
  SubmissionReply,
  TestReply,
  VerdictReply
} from '../src/wire';

export function message(code: string, params: MessageReply['params'] = {}): MessageReply {
  return { code, params };
}

export function exercise(gradeId: string, change: Partial<ExerciseReply> = {}): ExerciseReply {
  return {
    grade_id: gradeId,
    title: `Exercise ${gradeId}`,
    notebook: 'lesson.ipynb',
    solution_cells: [gradeId],
    test_cells: [`test-${gradeId}`],
    state: 'not-started',
    points: 0,
    max_points: 2,
    attempts: 0,
    hints: [],
    ...change
  };
}

export function lesson(change: Partial<LessonReply> = {}): LessonReply {
  return {
    slug: 'values',
    title: 'Values and names',
    release_id: 'a'.repeat(64),
    notebooks: ['lesson.ipynb'],
    state: 'not-started',
    points: 0,
    max_points: 4,
    solved_count: 0,
    exercises: [exercise('swap'), exercise('round')],
    opens_at: null,
    due_at: null,
    closes_at: null,
    submissions_left: null,
    submitted_at: null,
    check_tests: 'all',
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
    units: [{ title: 'First steps', lessons: [lesson()], solved_count: 0, exercise_count: 2 }],
    points: 0,
    max_points: 4,
    solved_count: 0,
    exercise_count: 2,
    next_lesson: 'values',
    achievements: [],
    last_event_number: 7,
    ...change
  };
}

export function testReply(change: Partial<TestReply> = {}): TestReply {
  return {
    grade_id: 'test-swap',
    name: 'swap(1, 2)',
    is_hidden: false,
    outcome: 'passed',
    message: null,
    is_listed: true,
    expected: null,
    got: null,
    cell: null,
    line: null,
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
    reason: null,
    is_reason_in_tests: false,
    reason_cell: null,
    reason_line: null,
    tests: [],
    unevaluated_count: 0,
    ...change
  };
}

export function submission(id: string, change: Partial<SubmissionReply> = {}): SubmissionReply {
  return {
    id,
    kind: 'check',
    classroom: 'spring',
    lesson: 'values',
    release_id: 'a'.repeat(64),
    state: 'graded',
    received_at: '2026-03-02T10:00:00Z',
    graded_at: '2026-03-02T10:00:01Z',
    queue_position: null,
    verdicts: [verdict('swap')],
    repairs: [],
    grader_error: null,
    receipt: null,
    ...change
  };
}

export function event(number: number, kind = 'submission-graded', data: EventReply['data'] = {}): EventReply {
  return { number, kind, occurred_at: '2026-03-02T10:00:00Z', data };
}
