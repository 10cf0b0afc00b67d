import { Button, Modal, NumberInput, SegmentedControl, Select, Stack, TagsInput, TextInput } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { Copy, When } from '../../components/Text';
import { ClientSetup } from './ClientSetup';
import { directoriesQuery } from './Directories';

/** Keys that bind ACME accounts to somebody here. */
export function EabKeys({ mayWrite }: { mayWrite: boolean }) {
  const [open, setOpen] = useState(false);
  const revoke = useMutation({ mutationFn: (id: string) => call(api.POST('/api/v1/acme/eab-keys/{id}/revoke', { params: { path: { id }, query: {} } })) });
  const add = mayWrite && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setOpen(true)}>New key</Button>;
  return (
    <Panel title="External account keys" flush note={add}>
      {revoke.error && <ErrorNote error={revoke.error} />}
      <PagedTable
        label="External account keys"
        queryKey={['acme', 'eab-keys']}
        read={(after) => call(api.GET('/api/v1/acme/eab-keys', { params: { query: { limit: 50, after } } }))}
        id={(key) => key.id}
        empty={<Empty icon={<IconKey size={24} />} title="No keys yet" action={add}>A key ties the ACME accounts made with it to a team and to the names it may ask for.</Empty>}
        columns={[
          { name: 'Name', cell: (key) => <strong>{key.name}</strong> },
          { name: 'State', cell: (key) => <State of={key.status} /> },
          { name: 'Key id', cell: (key) => <Copy text={key.id} />, wide: true },
          { name: 'Owner', cell: (key) => key.team ?? '–' },
          { name: 'Names', cell: (key) => <span className="wrap">{(key.allowed_names ?? []).join(', ') || 'any'}</span>, wide: true },
          { name: 'Used', cell: (key) => <>{key.uses}× {key.last_used_at && <span className="muted"><When at={key.last_used_at} /></span>}</>, wide: true },
          { name: '', cell: (key) => mayWrite && key.status === 'usable' && <Danger label="Revoke" of={key.name} consequence="No further account is bound with it; those that were bound go on." onConfirm={() => revoke.mutate(key.id)} /> },
        ]}
      />
      {open && <Wizard onClose={() => setOpen(false)} />}
    </Panel>
  );
}

function Wizard({ onClose }: { onClose: () => void }) {
  const { data: directories } = useQuery(directoriesQuery);
  const { data: teams } = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')), retry: false });
  const [name, setName] = useState('');
  const [team, setTeam] = useState<string | null>(null);
  const [directory, setDirectory] = useState<string | null>(null);
  const [names, setNames] = useState<string[]>([]);
  const [usage, setUsage] = useState<Schema<'EabUsage'>>('single');
  const [days, setDays] = useState<number | string>('');
  const make = useMutation({
    mutationFn: () =>
      call(
        api.POST('/api/v1/acme/eab-keys', {
          body: { name, usage, team: team ?? undefined, directory: directory ?? undefined, allowed_names: names, ...(typeof days === 'number' ? { lifetime_seconds: days * 86_400 } : {}) },
        }),
      ),
    gcTime: 0,
  });
  const url = directories?.items.find((each) => each.name === (directory ?? 'default'))?.url ?? directories?.items[0]?.url ?? '';
  return (
    <Modal opened onClose={onClose} size={make.data ? 'xl' : 'md'} title={make.data ? 'The key, this once' : 'New external account key'} closeOnClickOutside={!make.data}>
      {make.data ? (
        <Stack>
          <p style={{ margin: 0 }}>The HMAC key is shown now and never again. Each client below has it filled in.</p>
          <div><span className="muted">Key id </span><Copy text={make.data.id} /></div>
          <div><span className="muted">HMAC key </span><Copy text={make.data.hmac} /></div>
          <ClientSetup directory={url} binding={{ id: make.data.id, hmac: make.data.hmac }} />
          <Button onClick={onClose}>I have it</Button>
        </Stack>
      ) : (
        <form onSubmit={(event) => { event.preventDefault(); make.mutate(); }}>
          <Stack>
            {make.error && <ErrorNote error={make.error} />}
            <TextInput label="Name" description="What it is for: a cluster, a machine" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
            <Select label="Owner" placeholder="Nobody" clearable data={(teams?.items ?? []).map((each) => each.name)} value={team} onChange={setTeam} />
            <Select label="Directory" placeholder="Any" clearable data={(directories?.items ?? []).map((each) => each.name)} value={directory} onChange={setDirectory} />
            <TagsInput label="Names it may ask for" description="Empty: whatever the profiles allow" placeholder="*.example.org" value={names} onChange={setNames} />
            <SegmentedControl aria-label="How often" data={[{ value: 'single', label: 'One account' }, { value: 'multi', label: 'Many accounts' }]} value={usage} onChange={(next) => setUsage(next as Schema<'EabUsage'>)} />
            <NumberInput label="Days until it ends" placeholder="Never" min={1} value={days} onChange={setDays} />
            <Button type="submit" loading={make.isPending}>Make the key</Button>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
