// Generated from pmh_jupyter/wire by `python -m pmh_jupyter.wire.typescript`; do not edit.

/**
 * One fault of a rejected input: file, cell (if any), what is wrong, and the remedy.
 */
export interface ProblemReply {
  readonly file: string;
  readonly cell: string | null;
  readonly message: string;
  readonly remedy: string;
}

/**
 * The one shape in which every failure is answered, by the service and by the server extension alike.
 */
export interface ErrorReply {
  /**
   * Stable, for programs: see pmh_jupyter/errors.py
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
   * Finds the request in every log it ran through
   */
  readonly request_id: string;
  readonly problems: readonly ProblemReply[];
}

/**
 * A classroom as one of its members sees it.
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
 * The person behind the request: our own id, and the Hub's present name for them.
 */
export interface MeReply {
  readonly id: string;
  readonly name: string;
  readonly classrooms: readonly ClassroomReply[];
}

/**
 * Redeems a classroom's join code for the person who asks.
 */
export interface JoinRequest {
  readonly join_code: string;
}

/**
 * One exercise of a lesson. `points` is the best of this person's attempts (practice).
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
 * A lesson on the classroom's schedule. Times are UTC; the classroom's zone is beside them.
 */
export interface LessonReply {
  readonly slug: string;
  readonly title: string;
  /**
   * Id of the release that the classroom adopted
   */
  readonly release_id: string;
  /**
   * Paths relative to the lesson's folder, the first is opened first
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
   * Submissions left; null: as many as you like
   */
  readonly submissions_left: number | null;
  readonly submitted_at: string | null;
  /**
   * Which tests a check runs
   */
  readonly check_tests: 'visible' | 'all';
}

/**
 * Lessons that belong together.
 */
export interface UnitReply {
  readonly title: string;
  readonly lessons: readonly LessonReply[];
  readonly solved_count: number;
  readonly exercise_count: number;
}

/**
 * An achievement of the course: earned, or how near it is.
 */
export interface AwardReply {
  readonly slug: string;
  readonly title: string;
  readonly description: string;
  readonly icon: string;
  readonly earned_at: string | null;
  /**
   * How many of `needed` are there
   */
  readonly current: number;
  readonly target: number;
}

/**
 * The whole map. `last_event` is the number after which the stream goes on.
 */
export interface OutlineReply {
  readonly classroom: ClassroomReply;
  readonly units: readonly UnitReply[];
  readonly points: number;
  readonly max_points: number;
  readonly solved_count: number;
  readonly exercise_count: number;
  /**
   * Slug of the lesson to go on with; null: all done
   */
  readonly next_lesson: string | null;
  readonly awards: readonly AwardReply[];
  readonly last_event_number: number;
}

/**
 * A sentence as a code with parameters. Whoever shows it puts it into words: see `pmh_jupyter/domain/feedback_text.py`.
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
 * One grading of one exercise.
 */
export interface VerdictReply {
  readonly grade_id: string;
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'crashed' | 'timed-out' | 'not-checked' | 'needs-grading' | 'grader-error';
  readonly points: number;
  readonly max_points: number;
  readonly message: MessageReply | null;
  readonly tests: readonly TestReply[];
}

/**
 * Proof that work arrived: Ed25519 over the canonical JSON of every other field, with the key named by `key_id`.
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
   * Short form for people, e.g. 7KQM-2XWD
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
   * Place in the queue, from 1, while queued
   */
  readonly queue_position: number | null;
  readonly verdicts: readonly VerdictReply[];
  readonly repairs: readonly MessageReply[];
  readonly grader_error: MessageReply | null;
  readonly receipt: Receipt | null;
}

/**
 * A person's own work in a classroom, newest first.
 */
export interface SubmissionListReply {
  readonly submissions: readonly SubmissionReply[];
}

/**
 * One event of a classroom that concerns the person who listens.
 *
 * `kind` and its data: `submission-received` and `submission-graded` {work, kind, lesson, exercises}, `award-earned` {award, title,
 * description, icon}, `release-adopted` {lesson, release}, `member-joined` {}.
 * Over the stream each is a server-sent event whose id is `number` and whose data is this object.
 */
export interface EventReply {
  readonly number: number;
  readonly kind: string;
  readonly occurred_at: string;
  readonly data: Readonly<Record<string, string | number | boolean | readonly string[] | null>>;
}

/**
 * Whether the service can be reached from this server, who is asking, and the unsent work.
 */
export interface LabStatus {
  readonly version: string;
  readonly name: string;
  readonly is_reachable: boolean;
  /**
   * Entries in the outbox
   */
  readonly outbox_size: number;
}

/**
 * Brings a lesson into the server. `unsaved` names notebooks (server paths) open with unsaved changes: they are not merged now.
 */
export interface OpenLessonRequest {
  readonly unsaved_notebooks?: readonly string[];
}

/**
 * What the merge of a new release into the student's notebook did, cell by cell (grade_ids or cell ids).
 */
export interface MergeReply {
  readonly updated: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly kept: readonly string[];
  readonly conflicts: readonly string[];
  /**
   * The copy that was made before, relative to the server's root
   */
  readonly backup_path: string | null;
}

/**
 * Where the lesson lies now. Paths are relative to the server's root.
 */
export interface OpenLessonReply {
  readonly folder: string;
  readonly notebooks: readonly string[];
  readonly release_id: string;
  readonly merge: MergeReply | null;
  /**
   * A newer release waits until the open notebook is saved
   */
  readonly is_update_postponed: boolean;
}

/**
 * Checks exercises of a lesson as it lies on the server's disk; `id` is made by the panel.
 */
export interface LabCheckRequest {
  readonly id: string;
  readonly exercises?: readonly string[];
}

/**
 * Hands in a lesson as it lies on the server's disk; `id` is made by the panel.
 */
export interface LabSubmitRequest {
  readonly id: string;
}

/**
 * Work was handed on, or is kept in the outbox (`waiting`) until the service can be reached.
 */
export interface LabSubmissionReply {
  readonly id: string;
  readonly kind: 'check' | 'final';
  readonly state: 'queued' | 'running' | 'graded' | 'failed' | 'waiting';
  readonly receipt: Receipt | null;
}

/**
 * Work that waits to be sent.
 */
export interface OutboxEntryReply {
  readonly id: string;
  readonly kind: 'check' | 'final';
  readonly classroom: string;
  readonly lesson: string;
  readonly created_at: string;
  readonly send_attempts: number;
  readonly last_error: string;
}

/**
 * All unsent work, oldest first. `refused` is work that the service answered with a final no, kept for the student to see.
 */
export interface OutboxReply {
  readonly waiting: readonly OutboxEntryReply[];
  readonly refused: readonly OutboxEntryReply[];
}
