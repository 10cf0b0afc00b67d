import { api, call, type Schema } from '../../api/client';
import { Empty } from '../../components/States';
import { PagedTable } from '../../components/Table';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { Who } from '../../components/Who';
import { eventDetails, eventTitle } from '../../lib/words';
import css from './certificate.module.css';

type Event = Schema<'Event'>;

/** The audit trail of one object; of a certificate, with the way on which it came to be. */
export function History({ object, enrollment }: { object: string; enrollment?: string | null }) {
  const read = async (after: string | undefined): Promise<{ items: Event[]; next?: string | null }> => {
    const page = await call(api.GET('/api/v1/audit', { params: { query: { object, limit: 50, after } } }));
    if (page.next || !enrollment) return page;
    const before = await call(api.GET('/api/v1/audit', { params: { query: { object: enrollment, limit: 50 } } }));
    return { items: [...page.items, ...before.items] };
  };
  return (
    <PagedTable
      label="History"
      queryKey={['audit', 'object', object]}
      read={read}
      id={(event) => event.id}
      empty={<Empty title="Nothing recorded">Events about it would show here.</Empty>}
      columns={[
        { name: 'What', cell: (event) => <strong>{eventTitle(event.name)}</strong> },
        { name: 'Who', cell: (event) => <span className="wrap"><Who id={event.actor.id} /> <span className="muted">{event.actor.kind.replace('-', ' ')}</span></span> },
        { name: 'Details', cell: (event) => <Details data={event.data as Record<string, unknown>} />, wide: true },
        { name: 'When', cell: (event) => <When at={event.at} full /> },
      ]}
    />
  );
}

/** What an event tells, on two lines; all of it for whoever points at it. */
export function Details({ data }: { data: Record<string, unknown> }) {
  const text = visible(eventDetails(data));
  if (!text) return <span className="muted">–</span>;
  return <span className={css.details} title={text}>{text}</span>;
}
