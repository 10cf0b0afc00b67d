import { api, call, type Schema } from '../../api/client';
import { Empty } from '../../components/States';
import { PagedTable } from '../../components/Table';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { Who } from '../../components/Who';
import { eventTitle } from '../../lib/words';

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

export function Details({ data }: { data: Record<string, unknown> }) {
  const entries = Object.entries(data).filter(([, value]) => value !== null && value !== '' && JSON.stringify(value) !== '{}');
  if (entries.length === 0) return <span className="muted">–</span>;
  const text = entries.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' · ');
  return <span className="muted wrap" style={{ fontSize: 12, display: '-webkit-box', WebkitLineClamp: 2, WebkitBoxOrient: 'vertical', overflow: 'hidden', maxWidth: 560 }} title={visible(text)}>{visible(text)}</span>;
}
