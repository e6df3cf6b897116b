// Made from pmh_jupyter/wire by `python -m pmh_jupyter.wire.typescript`; do not edit.

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
  readonly state: 'new' | 'begun' | 'grading' | 'done' | 'attention';
  readonly points: number;
  readonly max_points: number;
  readonly tries: number;
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
  readonly release: string;
  /**
   * Paths relative to the lesson's folder, the first is opened first
   */
  readonly notebooks: readonly string[];
  readonly state: 'new' | 'begun' | 'grading' | 'done' | 'attention';
  readonly points: number;
  readonly max_points: number;
  readonly solved: number;
  readonly exercises: readonly ExerciseReply[];
  readonly opens_at: string | null;
  readonly due_at: string | null;
  readonly closes_at: string | null;
  /**
   * Submissions left; null: as many as you like
   */
  readonly attempts_left: number | null;
  readonly submitted_at: string | null;
  /**
   * Which tests a check runs
   */
  readonly checks: 'visible' | 'all';
}

/**
 * Lessons that belong together.
 */
export interface UnitReply {
  readonly title: string;
  readonly lessons: readonly LessonReply[];
  readonly solved: number;
  readonly total: number;
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
  readonly reached: number;
  readonly needed: number;
}

/**
 * The whole map. `last_event` is the number after which the stream goes on.
 */
export interface OutlineReply {
  readonly classroom: ClassroomReply;
  readonly units: readonly UnitReply[];
  readonly points: number;
  readonly max_points: number;
  readonly solved: number;
  readonly total: number;
  /**
   * Slug of the lesson to go on with; null: all done
   */
  readonly continue_with: string | null;
  readonly awards: readonly AwardReply[];
  readonly last_event: number;
}

/**
 * One thing that was tested. A hidden test has a neutral name, and neither expected nor got.
 */
export interface TestReply {
  readonly grade_id: string;
  readonly name: string;
  readonly hidden: boolean;
  readonly outcome: 'passed' | 'failed' | 'crashed' | 'timed-out' | 'not-checked' | 'needs-marking' | 'our-fault';
  readonly message: string;
  readonly expected: string | null;
  readonly got: string | null;
  /**
   * grade_id of the student's cell in which the fault showed
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
  readonly outcome: 'passed' | 'failed' | 'crashed' | 'timed-out' | 'not-checked' | 'needs-marking' | 'our-fault';
  readonly points: number;
  readonly max_points: number;
  readonly message: string;
  readonly tests: readonly TestReply[];
}

/**
 * Proof that work arrived: Ed25519 over the canonical JSON of every other field, with the key named by `key_id`.
 */
export interface Receipt {
  readonly submission: string;
  readonly person: string;
  readonly classroom: string;
  readonly lesson: string;
  readonly release: string;
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
 * A check or a submission and what became of it. `fault` is set when it failed through no fault of the student's.
 */
export interface WorkReply {
  readonly id: string;
  readonly kind: 'check' | 'submission';
  readonly classroom: string;
  readonly lesson: string;
  readonly release: string;
  readonly state: 'queued' | 'running' | 'graded' | 'failed';
  readonly received_at: string;
  readonly graded_at: string | null;
  /**
   * Place in the queue, from 1, while queued
   */
  readonly position: number | null;
  readonly verdicts: readonly VerdictReply[];
  readonly healed: readonly string[];
  readonly fault: string;
  readonly receipt: Receipt | null;
}

/**
 * A person's own work in a classroom, newest first.
 */
export interface WorkListReply {
  readonly work: readonly WorkReply[];
}

/**
 * One event of a classroom that concerns the person who listens.
 *
 * `kind` and its data: `work-received` and `work-graded` {work, kind, lesson, exercises}, `award-earned` {award, title,
 * description, icon}, `release-adopted` {lesson, release}, `member-joined` {}.
 * Over the stream each is a server-sent event whose id is `number` and whose data is this object.
 */
export interface EventReply {
  readonly number: number;
  readonly kind: string;
  readonly at: string;
  readonly data: Readonly<Record<string, string | number | boolean | readonly string[] | null>>;
}

/**
 * Whether the service can be reached from this server, who is asking, and the unsent work.
 */
export interface LabStatus {
  readonly version: string;
  readonly name: string;
  readonly reachable: boolean;
  /**
   * Entries in the outbox
   */
  readonly waiting: number;
}

/**
 * Brings a lesson into the server. `unsaved` names notebooks (server paths) open with unsaved changes: they are not merged now.
 */
export interface OpenRequest {
  readonly unsaved?: readonly string[];
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
  readonly copy_path: string | null;
}

/**
 * Where the lesson lies now. Paths are relative to the server's root.
 */
export interface OpenReply {
  readonly folder: string;
  readonly notebooks: readonly string[];
  readonly release: string;
  readonly merged: MergeReply | null;
  /**
   * A newer release waits until the open notebook is saved
   */
  readonly postponed: boolean;
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
export interface LabWorkReply {
  readonly id: string;
  readonly kind: 'check' | 'submission';
  readonly state: 'queued' | 'running' | 'graded' | 'failed' | 'waiting';
  readonly receipt: Receipt | null;
}

/**
 * Work that waits to be sent.
 */
export interface OutboxEntry {
  readonly id: string;
  readonly kind: 'check' | 'submission';
  readonly classroom: string;
  readonly lesson: string;
  readonly created_at: string;
  readonly tries: number;
  readonly last_error: string;
}

/**
 * All unsent work, oldest first. `refused` is work that the service answered with a final no, kept for the student to see.
 */
export interface OutboxReply {
  readonly waiting: readonly OutboxEntry[];
  readonly refused: readonly OutboxEntry[];
}
