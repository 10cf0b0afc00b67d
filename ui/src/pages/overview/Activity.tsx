import { IconActivity } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, call, type Schema } from '../../api/client';
import { useLiveEvents } from '../../api/live';
import { useMay } from '../../api/session';
import { Panel } from '../../components/Page';
import { Empty } from '../../components/States';
import { useNames } from '../../components/Who';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { eventSubject, eventTitle, pageOf } from '../../lib/words';
import css from './overview.module.css';

const SHOWN = 13;

/** What happened lately. Who may not read the audit log sees what happens from now on. */
export function Activity({ className }: { className?: string }) {
  const may = useMay();
  const live = useLiveEvents();
  const { data } = useQuery({
    queryKey: ['audit', 'recent'],
    queryFn: () => call(api.GET('/api/v1/audit', { params: { query: { limit: 20 } } })),
    enabled: may('audit:read'),
  });
  const known = new Set<string>();
  const events = [...live, ...(data?.items ?? [])]
    .filter((event) => !known.has(event.id) && known.add(event.id))
    .sort((a, b) => b.at.localeCompare(a.at))
    .slice(0, SHOWN);
  return (
    <Panel title="Activity" flush className={className} note={may('audit:read') && <Link to="/administration/$section" params={{ section: 'audit' }}>Whole log</Link>}>
      <div className={css.fixed}>
        {events.length === 0 && (
          <Empty icon={<IconActivity size={24} />} title="Quiet so far">
            What happens to your certificates shows here the moment it happens.
          </Empty>
        )}
        <ul className={css.rows} aria-live="polite" aria-label="Recent events">
          {events.map((event) => (
            <Row key={event.id} event={event} />
          ))}
        </ul>
      </div>
    </Panel>
  );
}

function Row({ event }: { event: Schema<'Event'> }) {
  const name = useNames();
  const page = pageOf(event.object);
  const inside = (
    <>
      <span className={css.eventName}>{eventTitle(event.name)}</span>
      <span className={`${css.eventWhat} clip`}>{visible(name(eventSubject(event)))}</span>
      <span className={css.rowWhen}><When at={event.at} /></span>
    </>
  );
  return <li>{page ? <Link to={page} className={css.event}>{inside}</Link> : <div className={css.event}>{inside}</div>}</li>;
}
