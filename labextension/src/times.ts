/**
 * Times as a reader meets them: short where there is little room, whole in a tooltip with the classroom's zone and the reader's own.
 */
const DAY = 86_400_000;

/** Due times nearer than this are shown. Milliseconds. */
const NEAR = 7 * DAY;

export type DueState = 'none' | 'far' | 'near' | 'missed';

export function dueState(due: string | null, submitted: string | null, now: Date): DueState {
  if (due === null) {
    return 'none';
  }
  const left = Date.parse(due) - now.getTime();
  if (left < 0) {
    return submitted === null ? 'missed' : 'none';
  }
  return left < NEAR ? 'near' : 'far';
}

/** "Fri 18:00" within the next days, else "18 Nov", in the reader's zone. */
export function shortTime(iso: string, now: Date, locale?: string): string {
  const time = new Date(iso);
  const near = Math.abs(time.getTime() - now.getTime()) < NEAR;
  const format: Intl.DateTimeFormatOptions = near
    ? { weekday: 'short', hour: '2-digit', minute: '2-digit' }
    : { day: 'numeric', month: 'short' };
  return new Intl.DateTimeFormat(locale, format).format(time);
}

/** The time in the classroom's zone and, where it differs, in the reader's. */
export function wholeTime(iso: string, zone: string, own = ownZone(), locale?: string): string {
  const there = inZone(iso, zone, locale);
  return own === zone ? there : `${there}\n${inZone(iso, own, locale)}`;
}

function inZone(iso: string, zone: string, locale?: string): string {
  const format: Intl.DateTimeFormatOptions = { dateStyle: 'full', timeStyle: 'short', timeZone: zone };
  return `${new Intl.DateTimeFormat(locale, format).format(new Date(iso))} (${zone})`;
}

function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
