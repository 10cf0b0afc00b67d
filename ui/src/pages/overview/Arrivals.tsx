import { SegmentedControl } from '@mantine/core';
import { IconChartBar } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { Schema } from '../../api/client';
import { Bars } from '../../components/charts/Bars';
import { Panel } from '../../components/Page';
import { Empty, Skeleton } from '../../components/States';
import { useChoice } from '../../lib/search';
import css from './overview.module.css';
import { trendsQuery } from './queries';

const DAY = 86_400_000;
const MOST = 4;

const BY = [
  { value: 'issuer', label: 'Issuer' },
  { value: 'profile', label: 'Profile' },
  { value: 'team', label: 'Team' },
  { value: 'protocol', label: 'Protocol' },
  { value: 'origin', label: 'Origin' },
];

type By = 'issuer' | 'profile' | 'team' | 'protocol' | 'origin';

/** What is said of those that have no value. */
const NONE: Record<By, string> = { issuer: 'elsewhere', profile: 'elsewhere', team: 'nobody’s', protocol: 'not asked for here', origin: 'elsewhere' };

/** What came in on each of the last thirty days. */
export function Arrivals({ className }: { className?: string }) {
  const [by, setBy] = useChoice<By>('by', ['issuer', 'profile', 'team', 'protocol', 'origin']);
  const { data } = useQuery(trendsQuery);
  const totals = new Map<string, number>();
  const name = (row: Schema<'Arrivals'>) => row[by] ?? NONE[by];
  for (const row of data?.arrived ?? []) totals.set(name(row), (totals.get(name(row)) ?? 0) + row.count);
  const largest = [...totals].sort((a, b) => b[1] - a[1]).slice(0, MOST).map(([key]) => key);
  const series = totals.size > MOST ? [...largest, 'others'] : largest;
  const today = data ? Date.parse(data.at) : 0;
  const bars = Array.from({ length: 30 }, (_, index) => {
    const day = new Date(today - (29 - index) * DAY).toISOString().slice(0, 10);
    const parts = series.map((key, position) => ({
      series: position,
      count: (data?.arrived ?? [])
        .filter((row) => row.day === day && (name(row) === key || (key === 'others' && !largest.includes(name(row)))))
        .reduce((sum, row) => sum + row.count, 0),
    }));
    return { label: day, title: day, parts };
  });
  return (
    <Panel
      title="What came in"
      className={className}
      note={
        <SegmentedControl size="xs" aria-label="By" value={by} onChange={setBy} data={BY} />
      }
    >
      <div className={css.chart}>
        {!data && <Skeleton height={250} />}
        {data && totals.size === 0 && (
          <Empty icon={<IconChartBar size={24} />} title="Nothing in thirty days">
            Point an ACME client at a directory, or import what you have.
          </Empty>
        )}
        {data && totals.size > 0 && <Bars label="Certificates by day" bars={bars} series={series} height={250} legend />}
      </div>
    </Panel>
  );
}
