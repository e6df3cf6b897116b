import { findExerciseAtCell, findExerciseOfCell, parseGradedCell, parseLessonPath, placeExercises } from '../src/exercises';
import { exercise, lesson } from './samples';

test.each([
  ['courses/spring/values/lesson.ipynb', { classroom: 'spring', lesson: 'values', file: 'lesson.ipynb' }],
  ['/courses/spring/values/more/lesson.ipynb', { classroom: 'spring', lesson: 'values', file: 'more/lesson.ipynb' }],
  ['courses/spring/lesson.ipynb', null],
  ['other/courses/spring/values/lesson.ipynb', null],
  ['lesson.ipynb', null]
])('the path %s is parsed', (path, lessonPath) => {
  expect(parseLessonPath(path)).toEqual(lessonPath);
});

test.each([
  [{ nbgrader: { grade_id: 'swap', solution: true } }, { gradeId: 'swap', isSolution: true }],
  [{ nbgrader: { grade_id: 'swap' } }, { gradeId: 'swap', isSolution: false }],
  [{ nbgrader: { grade_id: '' } }, null],
  [{ nbgrader: { grade_id: 3 } }, null],
  [{}, null],
  [undefined, null]
])('the cell metadata %j are parsed', (metadata, cell) => {
  expect(parseGradedCell(metadata)).toEqual(cell);
});

test('a solution or test cell belongs to its exercise', () => {
  const values = lesson();
  expect(findExerciseOfCell(values, 'round')?.grade_id).toBe('round');
  expect(findExerciseOfCell(values, 'test-round')?.grade_id).toBe('round');
  expect(findExerciseOfCell(values, 'else')).toBeNull();
});

test('strip and result are placed at the first and last solution cell', () => {
  const values = lesson({ exercises: [exercise('a', { solution_cells: ['a', 'a2'] }), exercise('b')] });
  const placements = placeExercises(values, [null, 'a', null, 'a2', 'test-a', 'b', 'b', 'test-b']);
  expect(placements.map(({ exercise, stripIndex, resultIndex }) => [exercise.grade_id, stripIndex, resultIndex])).toEqual([
    ['a', 1, 3],
    ['b', 5, 5]
  ]);
});

test('an exercise without cells is not placed, one without a solution cell is placed at its first test', () => {
  const values = lesson({ exercises: [exercise('gone'), exercise('only', { solution_cells: [], test_cells: ['t1', 't2'] })] });
  expect(placeExercises(values, ['t1', 't2']).map(({ stripIndex, resultIndex }) => [stripIndex, resultIndex])).toEqual([[0, 0]]);
});

test('the exercise at the cursor is that of its cell, or of the nearest graded cell above', () => {
  const cells = [null, 'swap', 'test-swap', null, 'round'];
  expect([0, 1, 2, 3, 4].map(index => findExerciseAtCell(lesson(), cells, index)?.grade_id ?? null)).toEqual([
    null,
    'swap',
    'swap',
    'swap',
    'round'
  ]);
});
