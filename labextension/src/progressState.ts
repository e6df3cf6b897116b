/**
 * The state that strip and panel show of an exercise and a lesson.
 *
 * The outline is refreshed shortly after a submission is sent or graded. Until then it is corrected here, so that no part of the page
 * says that an exercise is being graded beside its verdict.
 */
import type { ProgressState } from './labels';
import { isBusy, type SubmissionStore } from './submissions';
import type { ExerciseReply, LessonReply } from './wire';

export function computeExerciseState(lesson: string, exercise: ExerciseReply, submissions: SubmissionStore): ProgressState {
  const submission = submissions.get(lesson, exercise.grade_id);
  if (isBusy(submission)) {
    return 'grading';
  }
  const outcome = submission?.state === 'graded' ? submission.verdict?.outcome : undefined;
  if (outcome === 'passed' && exercise.state !== 'needs-attention') {
    return 'done';
  }
  return outcome && exercise.state === 'grading' ? 'in-progress' : exercise.state;
}

export function computeLessonState(lesson: LessonReply, submissions: SubmissionStore): ProgressState {
  const states = lesson.exercises.map(exercise => computeExerciseState(lesson.slug, exercise, submissions));
  if (states.includes('grading')) {
    return 'grading';
  }
  if (lesson.state !== 'grading') {
    return lesson.state;
  }
  return states.every(state => state === 'done') ? 'done' : 'in-progress';
}
