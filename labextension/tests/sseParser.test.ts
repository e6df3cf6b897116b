import { SseParser } from '../src/sse';

test('events come out whole, whatever the pieces', () => {
  const text = ': hello\n\nid: 8\ndata: {"a":1}\n\nid: 9\r\ndata: one\r\ndata: two\r\n\r\nevent: x\nretry: 5\n\n';
  const whole = [
    { id: '8', data: '{"a":1}' },
    { id: '9', data: 'one\ntwo' }
  ];
  for (let size = 1; size <= text.length; size++) {
    const parser = new SseParser();
    const events = [];
    for (let at = 0; at < text.length; at += size) {
      events.push(...parser.push(text.slice(at, at + size)));
    }
    expect(events).toEqual(whole);
  }
});

test('an event without its blank line is not given', () => {
  expect(new SseParser().push('id: 1\ndata: half')).toEqual([]);
});
