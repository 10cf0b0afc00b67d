import { Button, SegmentedControl } from '@mantine/core';
import { IconBell, IconPlus, IconSend } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { State, Status } from '../../components/Status';
import { PagedTable, Table } from '../../components/Table';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { useChoice } from '../../lib/search';
import { ChannelDialog } from './ChannelDialog';
import { NotificationRules } from './NotificationRules';

/** Ways to people and programs outside, with a trial and the log of what was sent. */
export function Channels() {
  const may = useMay();
  const query = useQuery({ queryKey: ['notifications', 'channels'], queryFn: () => call(api.GET('/api/v1/notification-channels')) });
  const [edited, setEdited] = useState<Schema<'Channel'> | 'new' | null>(null);
  const test = useMutation({ mutationFn: (name: string) => call(api.POST('/api/v1/notification-channels/{name}/test', { params: { path: { name } } })) });
  const remove = useMutation({ mutationFn: (name: string) => call(api.DELETE('/api/v1/notification-channels/{name}', { params: { path: { name } } })) });
  const mayChange = may('notifications:write');
  const add = mayChange && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setEdited('new')}>New channel</Button>;
  return (
    <>
      <Panel title="Channels" flush note={add}>
        {(test.error ?? remove.error) && <ErrorNote error={test.error ?? remove.error} />}
        {test.data && <div style={{ padding: '12px 16px' }} role="status">{test.data.delivered ? <Status tone="ok">The trial message was taken</Status> : <><Status tone="bad">Not delivered</Status> <span className="wrap">{visible(test.data.error ?? '')}</span></>}</div>}
        <Loaded query={query} rows={3}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty icon={<IconBell size={24} />} title="Nobody is told yet" action={add}>Mail, chat, a webhook or syslog: a channel says how; a rule, below, says what.</Empty>
            ) : (
              <Table
                label="Channels"
                rows={page.items}
                id={(channel) => channel.id}
                columns={[
                  { name: 'Channel', cell: (c) => <strong>{c.name}</strong> },
                  { name: 'Kind', cell: (c) => c.rules.kind },
                  { name: 'State', cell: (c) => (c.stream_status?.last_error ? <Status tone="bad">held up</Status> : <Status tone={c.rules.enabled === false ? 'off' : 'ok'}>{c.rules.enabled === false ? 'Off' : 'On'}</Status>) },
                  { name: 'Secrets', cell: (c) => c.secrets.join(', ') || '–', wide: true },
                  { name: '', align: 'right', cell: (c) => mayChange && <><Button size="compact-xs" variant="default" leftSection={<IconSend size={14} />} loading={test.isPending && test.variables === c.name} aria-label={`Test ${c.name}`} onClick={() => test.mutate(c.name)}>Test</Button> <Button size="compact-xs" variant="default" aria-label={`Edit ${c.name}`} onClick={() => setEdited(c)}>Edit</Button> <Danger label="Delete" of={c.name} consequence="What rules send to it goes nowhere." onConfirm={() => remove.mutate(c.name)} /></> },
                ]}
              />
            )
          }
        </Loaded>
      </Panel>
      <NotificationRules mayChange={mayChange} />
      <Deliveries mayChange={mayChange} />
      {edited && <ChannelDialog channel={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </>
  );
}

function Deliveries({ mayChange }: { mayChange: boolean }) {
  const [state, setState] = useChoice('state', ['all', 'waiting', 'delivered', 'dead']);
  const resend = useMutation({ mutationFn: (id: string) => call(api.POST('/api/v1/notification-deliveries/{id}/resend', { params: { path: { id } } })) });
  return (
    <Panel title="Delivery log" flush note={<SegmentedControl size="xs" aria-label="State" data={[{ value: 'all', label: 'All' }, { value: 'waiting', label: 'Waiting' }, { value: 'delivered', label: 'Delivered' }, { value: 'dead', label: 'Given up' }]} value={state} onChange={setState} />}>
      <PagedTable
        label="Deliveries"
        queryKey={['notifications', 'deliveries', state]}
        read={(after) => call(api.GET('/api/v1/notification-deliveries', { params: { query: { limit: 50, after, state: state === 'all' ? undefined : (state as Schema<'DeliveryState'>) } } }))}
        id={(delivery) => delivery.id}
        empty={<Empty title="Nothing sent">What rules choose is listed here, with every failure.</Empty>}
        columns={[
          { name: 'Channel', cell: (d) => d.channel },
          { name: 'State', cell: (d) => <State of={d.state} /> },
          { name: 'About', cell: (d) => <code>{d.object}</code>, wide: true },
          { name: 'Tries', cell: (d) => d.attempts, align: 'right' },
          { name: 'Last error', cell: (d) => <span className="wrap muted">{d.last_error && visible(d.last_error)}</span>, wide: true },
          { name: 'When', cell: (d) => <When at={d.created_at} /> },
          { name: '', align: 'right', cell: (d) => mayChange && d.state === 'dead' && <Button size="compact-xs" variant="default" onClick={() => resend.mutate(d.id)}>Send again</Button> },
        ]}
      />
    </Panel>
  );
}
