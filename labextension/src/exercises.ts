/**
 * Finds the lesson of a notebook and the exercise of a cell: by the notebook's path and by nbgrader's grade_id, nothing else.
 */
import type { ExerciseReply, LessonReply, OutlineReply } from './wire';

/** The parts of a notebook's path `courses/<classroom>/<lesson>/<file>`. */
export interface LessonPath {
  readonly classroom: string;
  readonly lesson: string;
  /** Path of the notebook relative to the lesson's folder. */
  readonly file: string;
}

/** A cell's part in an exercise, from its metadata in nbgrader's schema 3. */
export interface GradedCell {
  readonly gradeId: string;
  readonly isSolution: boolean;
}

/** Parses a server path; null for a path outside of a lesson's folder. */
export function parseLessonPath(path: string): LessonPath | null {
  const match = /^\/?courses\/([^/]+)\/([^/]+)\/(.+)$/.exec(path);
  return match ? { classroom: match[1] ?? '', lesson: match[2] ?? '', file: match[3] ?? '' } : null;
}

/** Reads a cell's metadata; null for a cell that is not graded. */
export function parseGradedCell(metadata: unknown): GradedCell | null {
  const nbgrader = (metadata as { nbgrader?: { grade_id?: unknown; solution?: unknown } } | undefined)?.nbgrader;
  return typeof nbgrader?.grade_id === 'string' && nbgrader.grade_id !== ''
    ? { gradeId: nbgrader.grade_id, isSolution: nbgrader.solution === true }
    : null;
}

export function findLesson(outline: OutlineReply | null, slug: string): LessonReply | null {
  return listLessons(outline).find(lesson => lesson.slug === slug) ?? null;
}

export function listLessons(outline: OutlineReply | null): readonly LessonReply[] {
  return outline?.units.flatMap(unit => unit.lessons) ?? [];
}

/** The exercise that has the cell with this grade_id as a solution or a test; null for any other cell. */
export function findExerciseOfCell(lesson: LessonReply, gradeId: string): ExerciseReply | null {
  return (
    lesson.exercises.find(exercise => exercise.solution_cells.includes(gradeId)) ??
    lesson.exercises.find(exercise => exercise.test_cells.includes(gradeId)) ??
    null
  );
}

/** Where an exercise's strip and result go, as indexes of the notebook's cells. */
export interface Placement {
  readonly exercise: ExerciseReply;
  readonly stripIndex: number;
  readonly resultIndex: number;
}

/**
 * Returns a placement for each exercise that has a cell in the notebook: the strip at its first solution cell, the result at its last.
 * Of cells with the same grade_id (copies) the first counts. Without a solution cell, both are placed at the first test cell.
 */
export function placeExercises(lesson: LessonReply, gradeIds: readonly (string | null)[]): Placement[] {
  return lesson.exercises.flatMap(exercise => {
    const cells = exercise.solution_cells.length > 0 ? exercise.solution_cells : exercise.test_cells.slice(0, 1);
    const indexes = cells.map(gradeId => gradeIds.indexOf(gradeId)).filter(index => index >= 0);
    return indexes.length > 0
      ? [{ exercise, stripIndex: Math.min(...indexes), resultIndex: Math.max(...indexes) }]
      : [];
  });
}

/** The exercise of the cell at `cellIndex`, or else of the nearest graded cell above it. */
export function findExerciseAtCell(
  lesson: LessonReply,
  gradeIds: readonly (string | null)[],
  cellIndex: number
): ExerciseReply | null {
  for (let index = cellIndex; index >= 0; index--) {
    const gradeId = gradeIds[index];
    const exercise = gradeId ? findExerciseOfCell(lesson, gradeId) : null;
    if (exercise) {
      return exercise;
    }
  }
  return null;
}
