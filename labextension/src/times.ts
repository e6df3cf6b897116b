/**
 * Formats times: short for the outline, in full with the classroom's time zone and the reader's own in a tooltip.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

const DAY_MS = 86_400_000;

/** Due times within this span are shown in the outline. */
const DUE_SOON_MS = 7 * DAY_MS;

export type DueState = 'none' | 'later' | 'soon' | 'missed';

export function computeDueState(dueAt: string | null, submittedAt: string | null, now: Date): DueState {
  if (dueAt === null) {
    return 'none';
  }
  const remainingMs = Date.parse(dueAt) - now.getTime();
  if (remainingMs < 0) {
    return submittedAt === null ? 'missed' : 'none';
  }
  return remainingMs < DUE_SOON_MS ? 'soon' : 'later';
}

/** "Fri 18:00" for a time within a week, else "18 Nov", in the reader's time zone. */
export function shortTime(iso: string, now: Date, locale?: string): string {
  const time = new Date(iso);
  const isSoon = Math.abs(time.getTime() - now.getTime()) < DUE_SOON_MS;
  const format: Intl.DateTimeFormatOptions = isSoon
    ? { weekday: 'short', hour: '2-digit', minute: '2-digit' }
    : { day: 'numeric', month: 'short' };
  return new Intl.DateTimeFormat(locale, format).format(time);
}

/** The time in the classroom's time zone and, on a second line where it differs, in the reader's. */
export function fullTime(iso: string, zone: string, ownZone = readerZone(), locale?: string): string {
  const classroomTime = formatInZone(iso, zone, locale);
  return ownZone === zone ? classroomTime : `${classroomTime}\n${formatInZone(iso, ownZone, locale)}`;
}

/** The time in the classroom's time zone and, where it differs, the reader's, to be used within a sentence. */
export function timeInSentence(iso: string, zone: string, trans: TranslationBundle, ownZone = readerZone()): string {
  const classroomTime = formatInZone(iso, zone);
  if (ownZone === zone) {
    return classroomTime;
  }
  const format: Intl.DateTimeFormatOptions = { weekday: 'long', hour: '2-digit', minute: '2-digit', timeZone: ownZone };
  const ownTime = new Intl.DateTimeFormat(undefined, format).format(new Date(iso));
  return trans.__('%1, which is %2 in your time zone', classroomTime, ownTime);
}

function formatInZone(iso: string, zone: string, locale?: string): string {
  const format: Intl.DateTimeFormatOptions = { dateStyle: 'full', timeStyle: 'short', timeZone: zone };
  return `${new Intl.DateTimeFormat(locale, format).format(new Date(iso))} (${zone})`;
}

function readerZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
