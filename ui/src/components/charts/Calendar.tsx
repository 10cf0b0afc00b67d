import { Link } from '@tanstack/react-router';
import { unit, useWidth } from '../../lib/width';
import css from './charts.module.css';

const DAY = 86_400_000;
/** A day is a target for fingers (WCAG 2.5.8): 24 pixels, and what lies between two. */
const SIDE = 24;
const GAP = 3;

interface CalendarProps {
  counts: Map<string, number>;
  from: number;
  /** At most; as many are shown as there is room for. */
  weeks: number;
}

/** One square for each day; a click shows what ends on it. Days are UTC, as certificates are written. */
export function Calendar({ counts, from, weeks: most }: CalendarProps) {
  const [element, width] = useWidth<HTMLDivElement>();
  const weeks = Math.min(most, Math.floor((width / unit() + GAP) / (SIDE + GAP)));
  const columns = { gridTemplateColumns: `repeat(${weeks}, minmax(0, 1fr))` };
  const today = Math.floor(from / DAY) * DAY;
  const monday = today - ((new Date(today).getUTCDay() + 6) % 7) * DAY;
  const largest = Math.max(1, ...counts.values());
  const last = new Date(monday + (weeks * 7 - 1) * DAY).toLocaleDateString('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const months: { name: string; week: number }[] = [];
  for (let week = 0; week < weeks; week++) {
    const name = new Date(monday + week * 7 * DAY).toLocaleDateString('en', { month: 'short', timeZone: 'UTC' });
    if (months.at(-1)?.name !== name) months.push({ name, week });
  }
  return (
    <div ref={element} role="group" aria-label="Days on which certificates end">
      <div className={css.months} style={columns} aria-hidden>
        {months.map(({ name, week }) => (
          <span key={`${name}${week}`} style={{ gridColumn: week + 1 }}>
            {name}
          </span>
        ))}
      </div>
      <div className={css.days} style={columns}>
        {Array.from({ length: weeks * 7 }, (_, index) => {
          const time = monday + index * DAY;
          const day = new Date(time).toISOString().slice(0, 10);
          const count = counts.get(day) ?? 0;
          if (time < today || count === 0) return <span key={day} className={css.day} data-past={time < today} title={`${day}: none`} />;
          const level = Math.min(4, Math.ceil((4 * count) / largest));
          const urgency = time - today < 7 * DAY ? 'bad' : time - today < 30 * DAY ? 'warn' : 'later';
          return (
            <Link
              key={day}
              to="/certificates"
              search={{ expires_after: `${day}T00:00:00Z`, expires_before: new Date(time + DAY).toISOString().replace('.000', ''), sort: 'not_after' } as never}
              className={css.day}
              data-level={level}
              data-urgency={urgency}
              title={`${day}: ${count.toLocaleString('en')}`}
              aria-label={`${day}: ${count}`}
            />
          );
        })}
      </div>
      <div className={css.legend} aria-hidden>
        <span className={css.key} data-urgency="bad">this week</span>
        <span className={css.key} data-urgency="warn">within 30 days</span>
        <span className={css.key} data-urgency="later">later</span>
        <span className={css.until}>{weeks > 0 && `until ${last}; the fuller, the more`}</span>
      </div>
    </div>
  );
}
