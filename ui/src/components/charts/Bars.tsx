import { rem } from '@mantine/core';
import css from './charts.module.css';

export interface Bar {
  label: string;
  title: string;
  parts: { series: number; count: number }[];
  tone?: string;
}

interface BarsProps {
  label: string;
  bars: Bar[];
  series: string[];
  height: number;
  legend?: boolean;
}

/** Stacked bars over time. What a pointer shows, a screen reader finds in the table. */
export function Bars({ label, bars, series, height, legend }: BarsProps) {
  const total = (bar: Bar) => bar.parts.reduce((sum, part) => sum + part.count, 0);
  const top = nice(Math.max(1, ...bars.map(total)));
  const plot = height - 24 - (legend ? 28 : 0);
  return (
    <figure className={css.figure} aria-label={label}>
      {legend && (
        <figcaption className={css.legend} aria-hidden>
          {series.map((name, index) => (
            <span key={name} className={css.key} data-series={index}>
              {name}
            </span>
          ))}
        </figcaption>
      )}
      <div className={css.plot} style={{ height: rem(plot) }} aria-hidden>
        <span className={css.axis}>{short(top)}</span>
        <span className={css.axis} style={{ top: '50%' }}>{short(top / 2)}</span>
        <div className={css.bars}>
          {bars.map((bar) => (
            <div key={bar.label} className={css.bar} data-tone={bar.tone} title={`${bar.title}\n${bar.parts.filter((part) => part.count).map((part) => `${series[part.series]}: ${part.count.toLocaleString('en')}`).join('\n') || 'none'}`}>
              {bar.parts.map((part) => part.count > 0 && <span key={part.series} data-series={part.series} style={{ height: `${(100 * part.count) / top}%` }} />)}
            </div>
          ))}
        </div>
      </div>
      <div className={css.ticks} aria-hidden>
        <span>{bars[0]?.label.slice(5)}</span>
        <span>{bars[Math.floor(bars.length / 2)]?.label.slice(5)}</span>
        <span>{bars.at(-1)?.label.slice(5)}</span>
      </div>
      <table className="sr-only">
        <caption>{label}</caption>
        <tbody>
          {bars.filter(total).map((bar) => (
            <tr key={bar.label}>
              <th scope="row">{bar.title}</th>
              <td>{total(bar)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function short(value: number): string {
  if (value < 1) return '';
  return value >= 1000 ? `${Math.round(value / 100) / 10}k` : String(Math.round(value));
}
