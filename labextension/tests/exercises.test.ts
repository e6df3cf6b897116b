import { exerciseAt, exerciseOf, gradedCell, lessonOfPath, placements } from '../src/exercises';
import { exercise, lesson } from './samples';

test.each([
  ['courses/spring/values/lesson.ipynb', { classroom: 'spring', lesson: 'values', file: 'lesson.ipynb' }],
  ['/courses/spring/values/more/lesson.ipynb', { classroom: 'spring', lesson: 'values', file: 'more/lesson.ipynb' }],
  ['courses/spring/lesson.ipynb', null],
  ['other/courses/spring/values/lesson.ipynb', null],
  ['lesson.ipynb', null]
])('the lesson of %s', (path, place) => {
  expect(lessonOfPath(path)).toEqual(place);
});

test.each([
  [{ nbgrader: { grade_id: 'swap', solution: true } }, { gradeId: 'swap', solution: true }],
  [{ nbgrader: { grade_id: 'swap' } }, { gradeId: 'swap', solution: false }],
  [{ nbgrader: { grade_id: '' } }, null],
  [{ nbgrader: { grade_id: 3 } }, null],
  [{}, null],
  [undefined, null]
])('the part of a cell with %j', (metadata, part) => {
  expect(gradedCell(metadata)).toEqual(part);
});

test('a cell is of the exercise whose solution or test it is', () => {
  const values = lesson();
  expect(exerciseOf(values, 'round')?.grade_id).toBe('round');
  expect(exerciseOf(values, 'test-round')?.grade_id).toBe('round');
  expect(exerciseOf(values, 'else')).toBeNull();
});

test('strip and result surround the solution, whatever lies between', () => {
  const values = lesson({ exercises: [exercise('a', { solution_cells: ['a', 'a2'] }), exercise('b')] });
  const places = placements(values, [null, 'a', null, 'a2', 'test-a', 'b', 'b', 'test-b']);
  expect(places.map(({ exercise, strip, result }) => [exercise.grade_id, strip, result])).toEqual([
    ['a', 1, 3],
    ['b', 5, 5]
  ]);
});

test('an exercise without its cells has no place, one without a solution cell stands at its test', () => {
  const values = lesson({ exercises: [exercise('gone'), exercise('only', { solution_cells: [], test_cells: ['t1', 't2'] })] });
  expect(placements(values, ['t1', 't2']).map(({ strip, result }) => [strip, result])).toEqual([[0, 0]]);
});

test('the cursor is at the exercise of its cell, else at the nearest above', () => {
  const cells = [null, 'swap', 'test-swap', null, 'round'];
  expect([0, 1, 2, 3, 4].map(index => exerciseAt(lesson(), cells, index)?.grade_id ?? null)).toEqual([
    null,
    'swap',
    'swap',
    'swap',
    'round'
  ]);
});
