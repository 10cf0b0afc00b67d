import { Button } from '@mantine/core';
import { IconArrowRight, IconBellRinging, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { Table } from '../../components/Table';
import { NotificationRuleEditor } from './NotificationRuleEditor';

type Rule = Schema<'NotificationRule'>;

/** What is told, and over which channels. */
export function NotificationRules({ mayChange }: { mayChange: boolean }) {
  const query = useQuery({ queryKey: ['notifications', 'rules'], queryFn: () => call(api.GET('/api/v1/notification-rules')) });
  const [edited, setEdited] = useState<Rule | 'new' | null>(null);
  const remove = useMutation({ mutationFn: (name: string) => call(api.DELETE('/api/v1/notification-rules/{name}', { params: { path: { name } } })) });
  const add = mayChange && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setEdited('new')}>New rule</Button>;
  return (
    <Panel title="Rules" flush note={add}>
      {remove.error && <ErrorNote error={remove.error} />}
      <Loaded query={query} rows={2}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty icon={<IconBellRinging size={24} />} title="No rule yet" action={add}>A rule says which events go to which channels: what ends soon, what fails, what waits for people.</Empty>
          ) : (
            <Table
              label="Notification rules"
              rows={page.items}
              id={(rule) => rule.name}
              columns={[
                { name: 'Rule', cell: (r) => <strong>{r.name}</strong> },
                { name: 'What', cell: (r) => <span className="wrap"><code>{r.rules.events.join(', ')}</code>{r.rules.min_severity && r.rules.min_severity !== 'info' && <span className="muted"> · {r.rules.min_severity} and above</span>}</span> },
                { name: 'Of', cell: (r) => <span className="wrap muted">{[...(r.rules.teams ?? []), ...(r.rules.profiles ?? []), ...(r.rules.issuers ?? [])].join(', ') || 'everything'}</span>, wide: true },
                { name: 'Goes to', cell: (r) => <span className="wrap"><IconArrowRight size={14} aria-hidden /> {r.rules.channels.join(', ')}</span> },
                { name: 'State', cell: (r) => <Status tone={r.rules.enabled === false ? 'off' : 'ok'}>{r.rules.enabled === false ? 'Off' : 'On'}</Status>, wide: true },
                { name: '', align: 'right', cell: (r) => mayChange && <><Button size="compact-xs" variant="default" aria-label={`Edit ${r.name}`} onClick={() => setEdited(r)}>Edit</Button> <Danger label="Delete" of={r.name} consequence="Nobody is told by it any more." loading={remove.isPending && remove.variables === r.name} onConfirm={() => remove.mutate(r.name)} /></> },
              ]}
            />
          )
        }
      </Loaded>
      {edited && <NotificationRuleEditor rule={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}
