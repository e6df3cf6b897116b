/**
 * Which lesson a notebook belongs to, and which exercise a cell: by the path and by nbgrader's grade_id, nothing else.
 */
import type { ExerciseReply, LessonReply, OutlineReply } from './wire';

export interface LessonPlace {
  readonly classroom: string;
  readonly lesson: string;
  /** Path of the notebook relative to the lesson's folder. */
  readonly file: string;
}

/** What a cell's metadata says of its part in an exercise, as in nbgrader's schema 3. */
export interface GradedCell {
  readonly gradeId: string;
  readonly solution: boolean;
}

/** The lesson of a server path `courses/<classroom>/<lesson>/…`; null for a path elsewhere. */
export function lessonOfPath(path: string): LessonPlace | null {
  const match = /^\/?courses\/([^/]+)\/([^/]+)\/(.+)$/.exec(path);
  return match ? { classroom: match[1] ?? '', lesson: match[2] ?? '', file: match[3] ?? '' } : null;
}

export function gradedCell(metadata: unknown): GradedCell | null {
  const nbgrader = (metadata as { nbgrader?: { grade_id?: unknown; solution?: unknown } } | undefined)?.nbgrader;
  return typeof nbgrader?.grade_id === 'string' && nbgrader.grade_id !== ''
    ? { gradeId: nbgrader.grade_id, solution: nbgrader.solution === true }
    : null;
}

export function findLesson(outline: OutlineReply | null, slug: string): LessonReply | null {
  return allLessons(outline).find(lesson => lesson.slug === slug) ?? null;
}

export function allLessons(outline: OutlineReply | null): readonly LessonReply[] {
  return outline?.units.flatMap(unit => unit.lessons) ?? [];
}

/** The exercise of which the cell with this grade_id is a solution or a test; null: of none. */
export function exerciseOf(lesson: LessonReply, gradeId: string): ExerciseReply | null {
  return (
    lesson.exercises.find(exercise => exercise.solution_cells.includes(gradeId)) ??
    lesson.exercises.find(exercise => exercise.test_cells.includes(gradeId)) ??
    null
  );
}

/** Where an exercise's strip and its result go: indexes among the notebook's cells. */
export interface Placement {
  readonly exercise: ExerciseReply;
  readonly strip: number;
  readonly result: number;
}

/**
 * One placement for each exercise of which a cell is there: the strip at its first solution cell, the result at its last one. A copied
 * cell carries the same grade_id; the first counts. An exercise without a solution cell has both at its first test cell.
 */
export function placements(lesson: LessonReply, gradeIds: readonly (string | null)[]): Placement[] {
  return lesson.exercises.flatMap(exercise => {
    const own = exercise.solution_cells.length > 0 ? exercise.solution_cells : exercise.test_cells.slice(0, 1);
    const found = own.map(gradeId => gradeIds.indexOf(gradeId)).filter(index => index >= 0);
    return found.length > 0 ? [{ exercise, strip: Math.min(...found), result: Math.max(...found) }] : [];
  });
}

/** The exercise that a cursor in cell `index` is at: the cell's own, else the nearest one above. */
export function exerciseAt(
  lesson: LessonReply,
  gradeIds: readonly (string | null)[],
  index: number
): ExerciseReply | null {
  for (let at = index; at >= 0; at--) {
    const gradeId = gradeIds[at];
    const exercise = gradeId ? exerciseOf(lesson, gradeId) : null;
    if (exercise) {
      return exercise;
    }
  }
  return null;
}
