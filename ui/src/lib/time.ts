const DAY = 86_400_000;

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const localDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export const localTime = (at: Date): string => local.format(at);
export const localDate = (at: Date): string => localDay.format(at);

/** `2027-01-31 13:05 UTC`: the same for everybody. */
export const utcTime = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** `in 12 days`, `3 hours ago`. */
export function fromNow(at: Date, now = Date.now()): string {
  const seconds = (at.getTime() - now) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 31_557_600],
    ['month', 2_629_800],
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length * (unit === 'month' ? 2 : 1)) {
      return relative.format(Math.trunc(seconds / length), unit);
    }
  }
  return Math.abs(seconds) < 10 ? 'now' : relative.format(Math.trunc(seconds), 'second');
}

/** Whole days until then, rounded down; negative once it is over. */
export const daysUntil = (at: string, now = Date.now()): number => Math.floor((Date.parse(at) - now) / DAY);

/** `90 days`, `12 hours`. */
export function duration(seconds: number): string {
  const units: [string, number][] = [
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  for (const [unit, length] of units) {
    if (seconds >= length && seconds % length === 0) return plural(seconds / length, unit);
  }
  return seconds >= 86_400 ? plural(Math.round(seconds / 86_400), 'day') : plural(seconds, 'second');
}

export const plural = (count: number, noun: string, many = `${noun}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? noun : many}`;
