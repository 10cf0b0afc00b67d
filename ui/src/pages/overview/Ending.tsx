import { SegmentedControl } from '@mantine/core';
import { IconCalendarTime } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Bars } from '../../components/charts/Bars';
import { Calendar } from '../../components/charts/Calendar';
import { Panel } from '../../components/Page';
import { Empty, Skeleton } from '../../components/States';
import { useChoice } from '../../lib/search';
import css from './overview.module.css';
import { trendsQuery } from './queries';

const DAY = 86_400_000;

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** When certificates end: as a calendar of days, or by week. */
export function Ending({ className }: { className?: string }) {
  const [form, setForm] = useChoice('ending', ['calendar', 'weeks']);
  const { data } = useQuery(trendsQuery);
  const counts = new Map(data?.ending.map(({ day, count }) => [day, count]));
  return (
    <Panel
      title="What ends when"
      className={className}
      note={
        <SegmentedControl size="xs" aria-label="Form" value={form} onChange={setForm} data={[{ value: 'calendar', label: 'Calendar' }, { value: 'weeks', label: 'Weeks' }]} />
      }
    >
      <div className={css.chart}>
        {!data && <Skeleton height={250} />}
        {data && counts.size === 0 && (
          <Empty icon={<IconCalendarTime size={24} />} title="Nothing ends within half a year">
            As soon as certificates are issued or imported, the days of their end show here.
          </Empty>
        )}
        {data && counts.size > 0 && form === 'calendar' && <Calendar counts={counts} from={Date.parse(data.at)} weeks={26} />}
        {data && counts.size > 0 && form === 'weeks' && <Weeks counts={counts} from={Date.parse(data.at)} />}
      </div>
    </Panel>
  );
}

function Weeks({ counts, from }: { counts: Map<string, number>; from: number }) {
  const weeks = Array.from({ length: 26 }, (_, week) => {
    const start = from + week * 7 * DAY;
    const count = Array.from({ length: 7 }, (_, day) => counts.get(dayOf(start + day * DAY)) ?? 0).reduce((a, b) => a + b, 0);
    return { label: dayOf(start), title: `${dayOf(start)} and the six days after it`, parts: [{ series: 0, count }], tone: week < 1 ? 'bad' : week < 4 ? 'warn' : undefined };
  });
  return <Bars label="Certificates ending by week" bars={weeks} series={['ending']} height={250} />;
}
