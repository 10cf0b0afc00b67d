import { Button, Checkbox, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { IconBeach, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { meQuery, sessionQuery, useMay } from '../../api/session';
import { Page, Panel } from '../../components/Page';
import { Empty, ErrorNote } from '../../components/States';
import { Status } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { When } from '../../components/Text';
import { Who } from '../../components/Who';
import { visible } from '../../lib/names';

/** Who is away, from when to when, and who decides meanwhile. */
export function Absences() {
  const may = useMay();
  const { data: session } = useQuery(sessionQuery);
  const { data: me } = useQuery(meQuery);
  const [open, setOpen] = useState(false);
  const [now, setNow] = useState(false);
  const end = useMutation({ mutationFn: (id: string) => call(api.DELETE('/api/v1/approval-delegations/{id}', { params: { path: { id } } })) });
  const mayDecide = may('approvals:decide');
  const isMine = (principal: string) => principal === session?.user || me?.permissions.some(({ permission }) => permission === 'access:administer');
  const add = mayDecide && <Button leftSection={<IconPlus size={18} />} onClick={() => setOpen(true)}>Say that somebody is away</Button>;
  return (
    <Page title="Absences" above={{ label: 'Approvals', to: '/approvals' }} lead="Who is away is not waited for; who stands in decides in their place." actions={add}>
      <Panel title="Absences" flush note={<Checkbox size="xs" label="Only those that hold now" checked={now} onChange={(event) => setNow(event.currentTarget.checked)} />}>
        {end.error && <ErrorNote error={end.error} />}
        <PagedTable
          label="Absences"
          queryKey={['delegations', now]}
          read={(after) => call(api.GET('/api/v1/approval-delegations', { params: { query: { limit: 50, after, in_force: now } } }))}
          id={(absence) => absence.id}
          empty={<Empty icon={<IconBeach size={24} />} title="Everybody is there">Before holidays, say here who decides meanwhile: requests then go to them by themselves.</Empty>}
          columns={[
            { name: 'Away', cell: (a) => <strong><Who id={a.principal} people={a.people} /></strong> },
            { name: 'Decides meanwhile', cell: (a) => (a.delegate ? <Who id={a.delegate} people={a.people} /> : <span className="muted">nobody</span>) },
            { name: 'Why', cell: (a) => <span className="wrap muted">{visible(a.reason)}</span>, wide: true },
            { name: 'From', cell: (a) => <When at={a.starts_at} />, wide: true },
            { name: 'Until', cell: (a) => <When at={a.ended_at ?? a.ends_at} /> },
            { name: 'State', cell: (a) => <Status tone={a.is_in_force ? 'wait' : 'off'}>{a.is_in_force ? 'Away' : a.ended_at || Date.parse(a.ends_at) < Date.now() ? 'Over' : 'To come'}</Status> },
            { name: '', align: 'right', cell: (a) => mayDecide && isMine(a.principal) && !a.ended_at && Date.parse(a.ends_at) > Date.now() && <Button size="compact-xs" variant="default" loading={end.isPending && end.variables === a.id} onClick={() => end.mutate(a.id)}>{a.is_in_force ? 'Back' : 'Call it off'}</Button> },
          ]}
        />
      </Panel>
      {open && <AbsenceDialog onClose={() => setOpen(false)} />}
    </Page>
  );
}

function AbsenceDialog({ onClose }: { onClose: () => void }) {
  const may = useMay();
  const { data: users } = useQuery({ queryKey: ['users', 'all'], queryFn: () => call(api.GET('/api/v1/users', { params: { query: { limit: 500 } } })), enabled: may('access:read'), retry: false });
  const [principal, setPrincipal] = useState<string | null>(null);
  const [delegate, setDelegate] = useState<string | null>(null);
  const [reason, setReason] = useState('');
  const [from, setFrom] = useState('');
  const [until, setUntil] = useState('');
  const people = (users?.items ?? []).map((user) => ({ value: user.id, label: visible(user.display_name || user.name) }));
  const note = useMutation({
    mutationFn: () =>
      call(
        api.POST('/api/v1/approval-delegations', {
          body: { ends_at: new Date(until).toISOString(), reason, ...(principal ? { principal } : {}), ...(delegate ? { delegate } : {}), ...(from ? { starts_at: new Date(from).toISOString() } : {}) },
        }),
      ),
    onSuccess: onClose,
  });
  return (
    <Modal opened onClose={onClose} title="Who is away?">
      <form onSubmit={(event) => { event.preventDefault(); note.mutate(); }}>
        <Stack>
          {note.error && <ErrorNote error={note.error} />}
          {may('access:administer') && <Select label="Who is away" placeholder="I am" clearable searchable data={people} value={principal} onChange={setPrincipal} />}
          {people.length > 0 ? (
            <Select label="Who decides meanwhile" placeholder="Nobody" clearable searchable data={people} value={delegate} onChange={setDelegate} />
          ) : (
            <TextInput label="Who decides meanwhile" description="Their id; empty: nobody" placeholder="usr_…" value={delegate ?? ''} onChange={(event) => setDelegate(event.currentTarget.value.trim() || null)} />
          )}
          <Group grow>
            <TextInput label="From" description="Empty: now" type="datetime-local" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
            <TextInput label="Until" description="Your local time" type="datetime-local" required value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
          </Group>
          <TextInput label="Why" placeholder="holidays" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button type="submit" loading={note.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}
