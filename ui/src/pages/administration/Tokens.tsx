import { Button, Modal, NumberInput, Select, Stack, TextInput } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { useMay } from '../../api/session';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Secret } from '../../components/Secret';
import { Empty, ErrorNote } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';

export function Tokens() {
  const may = useMay();
  const [making, setMaking] = useState(false);
  const revoke = useMutation({ mutationFn: (id: string) => call(api.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } })) });
  const mayChange = may('access:administer');
  const add = mayChange && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setMaking(true)}>New token</Button>;
  return (
    <Panel title="API tokens" flush note={add}>
      {revoke.error && <ErrorNote error={revoke.error} />}
      <PagedTable
        label="API tokens"
        queryKey={['tokens']}
        read={(after) => call(api.GET('/api/v1/tokens', { params: { query: { limit: 50, after } } }))}
        id={(token) => token.id}
        empty={<Empty icon={<IconKey size={24} />} title="No tokens" action={add}>Programs use the API with a token of their own.</Empty>}
        columns={[
          { name: 'Name', cell: (t) => <strong>{visible(t.name)}</strong> },
          { name: 'State', cell: (t) => <State of={t.status} /> },
          { name: 'Roles', cell: (t) => <span className="wrap">{t.roles.map(({ role, team }) => (team ? `${role} in ${team}` : role)).join(', ') || '–'}</span> },
          { name: 'Ends', cell: (t) => (t.expires_at ? <When at={t.expires_at} /> : <span className="muted">never</span>), wide: true },
          { name: 'Last used', cell: (t) => (t.last_used_at ? <When at={t.last_used_at} /> : <span className="muted">never</span>), wide: true },
          { name: '', align: 'right', cell: (t) => mayChange && t.status === 'usable' && <Danger label="Revoke" of={t.name} consequence="Whatever uses it is locked out at once." onConfirm={() => revoke.mutate(t.id)} /> },
        ]}
      />
      {making && <NewToken onClose={() => setMaking(false)} />}
    </Panel>
  );
}

function NewToken({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<string | null>('auditor');
  const [team, setTeam] = useState<string | null>(null);
  const [days, setDays] = useState<number | string>(90);
  const { data: roles } = useQuery({ queryKey: ['roles'], queryFn: () => call(api.GET('/api/v1/roles')) });
  const { data: teams } = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')) });
  const make = useMutation({
    mutationFn: () => call(api.POST('/api/v1/tokens', { body: { name, role: role ?? '', ...(team ? { team } : {}), ...(typeof days === 'number' ? { lifetime_seconds: days * 86_400 } : {}) } })),
    gcTime: 0,
  });
  if (make.data) {
    const { secret } = make.data;
    return <Secret title="The token, this once" lead="It is stored as a hash: nobody can show it again." parts={[{ label: 'Token', text: secret }, { label: 'In a shell', text: `export CERTWRIGHT_URL=${window.location.origin}\nexport CERTWRIGHT_TOKEN=${secret}\ncertwright certificate list` }]} onClose={onClose} />;
  }
  return (
    <Modal opened onClose={onClose} title="New token">
      <form onSubmit={(event) => { event.preventDefault(); make.mutate(); }}>
        <Stack>
          {make.error && <ErrorNote error={make.error} />}
          <TextInput label="Name" description="The program that uses it" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Select label="Role" data={(roles?.items ?? []).map((each) => each.name)} value={role} onChange={setRole} allowDeselect={false} />
          <Select label="In the team" placeholder="Everywhere" clearable data={(teams?.items ?? []).map((each) => each.name)} value={team} onChange={setTeam} />
          <NumberInput label="Days until it ends" placeholder="Never" min={1} value={days} onChange={setDays} />
          <Button type="submit" loading={make.isPending}>Make the token</Button>
        </Stack>
      </form>
    </Modal>
  );
}
