import { SseParser } from '../src/sseParser';

test('events are complete for every chunk size', () => {
  const text = ': hello\n\nid: 8\ndata: {"a":1}\n\nid: 9\r\ndata: one\r\ndata: two\r\n\r\nevent: x\nretry: 5\n\n';
  const expected = [
    { id: '8', data: '{"a":1}' },
    { id: '9', data: 'one\ntwo' }
  ];
  for (let size = 1; size <= text.length; size++) {
    const parser = new SseParser();
    const events = [];
    for (let start = 0; start < text.length; start += size) {
      events.push(...parser.push(text.slice(start, start + size)));
    }
    expect(events).toEqual(expected);
  }
});

test('an event without its blank line is not returned', () => {
  expect(new SseParser().push('id: 1\ndata: half')).toEqual([]);
});
