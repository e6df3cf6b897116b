// Generated from pmh_jupyter/wire by `python -m pmh_jupyter.wire.typescript`; do not edit.

/**
 * One problem of a rejected input: the file, the cell (if any), a description, and the remedy.
 */
export interface ProblemReply {
  readonly file: string;
  readonly cell: string | null;
  readonly message: string;
  readonly remedy: string;
}

/**
 * The body of every response to a failed request, from the service and from the server extension.
 */
export interface ErrorReply {
  /**
   * Stable code for programs: see pmh_jupyter/errors.py
   */
  readonly code: string;
  /**
   * What happened, for the reader
   */
  readonly message: string;
  /**
   * What to do next, for the reader
   */
  readonly advice: string;
  /**
   * Identifies the request in the logs of every process that handled it
   */
  readonly request_id: string;
  readonly problems: readonly ProblemReply[];
}

/**
 * A classroom, with the caller's role.
 */
export interface ClassroomReply {
  readonly slug: string;
  readonly title: string;
  readonly role: 'student' | 'assistant' | 'instructor' | 'admin';
  /**
   * IANA name, for example Europe/Zurich
   */
  readonly time_zone: string;
  /**
   * The course's slug
   */
  readonly course: string;
  readonly course_title: string;
}

/**
 * The caller: the id in the service's database, and the current user name at the Hub.
 */
export interface MeReply {
  readonly id: string;
  readonly name: string;
  readonly classrooms: readonly ClassroomReply[];
}

/**
 * Redeems a classroom's join code for the caller.
 */
export interface JoinRequest {
  readonly join_code: string;
}

/**
 * One exercise of a lesson. `points` are those of the member's best attempt (practice).
 */
export interface ExerciseReply {
  readonly grade_id: string;
  readonly title: string;
  /**
   * Path of its notebook, relative to the lesson's folder
   */
  readonly notebook: string;
  /**
   * grade_ids, in the notebook's order
   */
  readonly solution_cells: readonly string[];
  readonly test_cells: readonly string[];
  readonly state: 'not-started' | 'in-progress' | 'grading' | 'done' | 'needs-attention';
  readonly points: number;
  readonly max_points: number;
  readonly attempts: number;
  readonly hints: readonly string[];
}

/**
 * A lesson on the classroom's schedule. Times are UTC; the classroom's time zone is in `ClassroomReply`.
 */
export interface LessonReply {
  readonly slug: string;
  readonly title: string;
  /**
   * Id of the release that the classroom adopted
   */
  readonly release_id: string;
  /**
   * Paths relative to the lesson's folder; the first one is opened
   */
  readonly notebooks: readonly string[];
  readonly state: 'not-started' | 'in-progress' | 'grading' | 'done' | 'needs-attention';
  readonly points: number;
  readonly max_points: number;
  readonly solved_count: number;
  readonly exercises: readonly ExerciseReply[];
  readonly opens_at: string | null;
  readonly due_at: string | null;
  readonly closes_at: string | null;
  /**
   * Submissions left; null: unlimited
   */
  readonly submissions_left: number | null;
  readonly submitted_at: string | null;
  /**
   * Which tests a check runs
   */
  readonly check_tests: 'visible' | 'all';
}

/**
 * A group of lessons.
 */
export interface UnitReply {
  readonly title: string;
  readonly lessons: readonly LessonReply[];
  readonly solved_count: number;
  readonly exercise_count: number;
}

/**
 * An achievement of the course: when it was earned, or the progress toward it.
 */
export interface AchievementReply {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly icon: string;
  readonly earned_at: string | null;
  /**
   * Progress, from 0 to `target`
   */
  readonly current: number;
  readonly target: number;
}

/**
 * The outline. Events up to `last_event_number` are included, so a stream continues after it.
 */
export interface OutlineReply {
  readonly classroom: ClassroomReply;
  readonly units: readonly UnitReply[];
  readonly points: number;
  readonly max_points: number;
  readonly solved_count: number;
  readonly exercise_count: number;
  /**
   * Slug of the lesson to continue with; null: all are done
   */
  readonly next_lesson: string | null;
  readonly achievements: readonly AchievementReply[];
  readonly last_event_number: number;
}

/**
 * A sentence as a code with parameters. The recipient converts it to text: see `pmh_jupyter/domain/feedback_text.py`.
 */
export interface MessageReply {
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * The result of one test. A hidden test has a neutral name, and neither expected nor got.
 */
export interface TestReply {
  readonly grade_id: string;
  readonly name: string;
  readonly is_hidden: boolean;
  readonly outcome: 'passed' | 'failed' | 'crashed' | 'timed-out' | 'not-checked' | 'needs-grading' | 'grader-error';
  readonly message: MessageReply | null;
  /**
   * Whether a result shows it by itself. The others are counted: `unevaluated_count`
   */
  readonly is_listed: boolean;
  readonly expected: string | null;
  readonly got: string | null;
  /**
   * grade_id of the student's cell that the result points to
   */
  readonly cell: string | null;
  /**
   * Line in that cell, from 1
   */
  readonly line: number | null;
}

/**
 * The verdict on one exercise, and what a result shows of it: see `pmh_jupyter/domain/verdict_summary.py`.
 */
export interface VerdictReply {
  readonly grade_id: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'crashed' | 'timed-out' | 'not-checked' | 'needs-grading' | 'grader-error';
  readonly points: number;
  readonly max_points: number;
  /**
   * Explains the outcome. Null: its label says it all
   */
  readonly reason: MessageReply | null;
  /**
   * Whether a listed test shows the reason
   */
  readonly is_reason_in_tests: boolean;
  /**
   * grade_id of the student's cell that the reason is about
   */
  readonly reason_cell: string | null;
  /**
   * Line in that cell, from 1
   */
  readonly reason_line: number | null;
  readonly tests: readonly TestReply[];
  /**
   * Tests that could not be evaluated, to be shown as a number
   */
  readonly unevaluated_count: number;
}

/**
 * Proof that a submission arrived: Ed25519 signature of the canonical JSON of all other fields, with the key named by `key_id`.
 */
export interface Receipt {
  readonly submission_id: string;
  readonly person_id: string;
  readonly classroom: string;
  readonly lesson: string;
  readonly release_id: string;
  /**
   * SHA-256 of the canonical manifest of the files
   */
  readonly content_hash: string;
  readonly received_at: string;
  /**
   * Short code for people, for example 7KQM-2XWD
   */
  readonly code: string;
  readonly key_id: string;
  /**
   * Base64
   */
  readonly signature: string;
}

/**
 * A check or a final submission with its results. `grader_error` is set when grading failed and no attempt counts.
 */
export interface SubmissionReply {
  readonly id: string;
  readonly kind: 'check' | 'final';
  readonly classroom: string;
  readonly lesson: string;
  readonly release_id: string;
  readonly state: 'queued' | 'running' | 'graded' | 'failed';
  readonly received_at: string;
  readonly graded_at: string | null;
  /**
   * Position in the queue, from 1, while queued
   */
  readonly queue_position: number | null;
  readonly verdicts: readonly VerdictReply[];
  readonly repairs: readonly MessageReply[];
  readonly grader_error: MessageReply | null;
  readonly receipt: Receipt | null;
}

/**
 * A person's own submissions in a classroom, newest first.
 */
export interface SubmissionListReply {
  readonly submissions: readonly SubmissionReply[];
}

/**
 * An event of a classroom that concerns the subscriber.
 *
 * `kind` and its data: `submission-received` and `submission-graded` {submission_id, kind, lesson, exercises}, `award-earned`
 * {award, title, description, icon}, `release-adopted` {lesson, release_id}, `member-joined` {}.
 * In the event stream each is a server-sent event with `number` as its id and this object as its data.
 */
export interface EventReply {
  readonly number: number;
  readonly kind: string;
  readonly occurred_at: string;
  readonly data: Readonly<Record<string, string | number | boolean | readonly string[] | null>>;
}

/**
 * Opens a lesson: writes its files to the server. `unsaved_notebooks`: server paths of notebooks with unsaved changes, not merged.
 */
export interface OpenLessonRequest {
  readonly unsaved_notebooks?: readonly string[];
}

/**
 * Result of merging a new release into the student's notebook: grade_ids or cell ids, by the kind of change.
 */
export interface MergeReply {
  readonly updated: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly kept: readonly string[];
  readonly conflicts: readonly string[];
  /**
   * Backup of the student's version, relative to the server's root
   */
  readonly backup_path: string | null;
}

/**
 * Where the lesson's files are. Paths are relative to the server's root.
 */
export interface OpenLessonReply {
  readonly folder: string;
  readonly notebooks: readonly string[];
  readonly release_id: string;
  readonly merge: MergeReply | null;
  /**
   * A newer release is merged once the open notebook is saved
   */
  readonly is_update_postponed: boolean;
}

/**
 * Checks exercises of a lesson as saved on the server's disk. The panel creates the `id`.
 */
export interface LabCheckRequest {
  readonly id: string;
  readonly exercises?: readonly string[];
}

/**
 * Submits a lesson as saved on the server's disk. The panel creates the `id`.
 */
export interface LabSubmitRequest {
  readonly id: string;
}

/**
 * A submission was passed on, or waits in the outbox (`waiting`) until the service can be reached.
 */
export interface LabSubmissionReply {
  readonly id: string;
  readonly kind: 'check' | 'final';
  readonly state: 'queued' | 'running' | 'graded' | 'failed' | 'waiting';
  readonly receipt: Receipt | null;
  /**
   * What was left out of the submission, by reason
   */
  readonly left_out: readonly MessageReply[];
}

/**
 * A submission in the outbox.
 */
export interface OutboxEntryReply {
  readonly id: string;
  readonly kind: 'check' | 'final';
  readonly classroom: string;
  readonly lesson: string;
  readonly created_at: string;
  readonly send_count: number;
  readonly last_error: string;
}

/**
 * The outbox, oldest first. `rejected` are submissions that the service rejected for good, until they are dismissed.
 */
export interface OutboxReply {
  readonly waiting: readonly OutboxEntryReply[];
  readonly rejected: readonly OutboxEntryReply[];
}
