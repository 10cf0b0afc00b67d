import { Button, Menu, Modal, Select, Stack, TextInput } from '@mantine/core';
import { IconDots, IconUserPlus, IconUsers } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { useMay } from '../../api/session';
import { ConfirmDanger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Secret } from '../../components/Secret';
import { Empty, ErrorNote } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { Rights } from './Rights';

type Verb = 'disable' | 'enable' | 'reset' | 'delete';

export function Users() {
  const may = useMay();
  const [inviting, setInviting] = useState(false);
  const [rightsOf, setRightsOf] = useState<{ id: string; name: string } | null>(null);
  const [deleting, setDeleting] = useState<{ id: string; name: string } | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const act = useMutation({
    mutationFn: async ({ id, verb }: { id: string; verb: Verb }) => {
      const path = { params: { path: { id } } };
      if (verb === 'reset') setLink((await call(api.POST('/api/v1/users/{id}/reset', path))).setup_url);
      else if (verb === 'delete') await call(api.DELETE('/api/v1/users/{id}', path));
      else if (verb === 'disable') await call(api.POST('/api/v1/users/{id}/disable', path));
      else await call(api.POST('/api/v1/users/{id}/enable', path));
    },
  });
  const mayChange = may('access:administer');
  const invite = mayChange && <Button size="xs" leftSection={<IconUserPlus size={16} />} onClick={() => setInviting(true)}>Invite</Button>;
  return (
    <Panel title="Users" flush note={invite}>
      {act.error && <ErrorNote error={act.error} />}
      <PagedTable
        label="Users"
        queryKey={['users']}
        read={(after) => call(api.GET('/api/v1/users', { params: { query: { limit: 50, after } } }))}
        id={(user) => user.id}
        empty={<Empty icon={<IconUsers size={24} />} title="Nobody yet" action={invite}>Invite people, or let a provider bring them (Sign-on).</Empty>}
        columns={[
          { name: 'Name', cell: (user) => <><strong>{visible(user.display_name || user.name)}</strong> <span className="muted">{user.name}</span></> },
          { name: 'State', cell: (user) => <State of={user.state} /> },
          { name: 'Mail', cell: (user) => <span className="wrap">{user.email ?? '–'}</span>, wide: true },
          { name: 'Comes from', cell: (user) => user.provider ?? 'here', wide: true },
          { name: 'Last seen', cell: (user) => (user.last_sign_in_at ? <When at={user.last_sign_in_at} /> : <span className="muted">never</span>) },
          {
            name: '', align: 'right',
            cell: (user) => (
              <Menu position="bottom-end">
                <Menu.Target><Button size="compact-sm" variant="subtle" color="gray" aria-label={`Actions for ${user.name}`}><IconDots size={16} /></Button></Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item onClick={() => setRightsOf({ id: user.id, name: user.display_name || user.name })}>What they may do</Menu.Item>
                  {mayChange && <Menu.Item onClick={() => act.mutate({ id: user.id, verb: 'reset' })}>New setup link</Menu.Item>}
                  {mayChange && <Menu.Item onClick={() => act.mutate({ id: user.id, verb: user.state === 'disabled' ? 'enable' : 'disable' })}>{user.state === 'disabled' ? 'Enable' : 'Disable'}</Menu.Item>}
                  {mayChange && <Menu.Item c="var(--cw-bad)" onClick={() => setDeleting({ id: user.id, name: user.display_name || user.name })}>Delete</Menu.Item>}
                </Menu.Dropdown>
              </Menu>
            ),
          },
        ]}
      />
      {deleting && <ConfirmDanger label="Delete" of={deleting.name} consequence="The account, its sessions and its roles are gone for good. What they did stays in the audit log." onConfirm={() => act.mutate({ id: deleting.id, verb: 'delete' })} onClose={() => setDeleting(null)} />}
      {inviting && <Invite onClose={() => setInviting(false)} onInvited={(url) => { setInviting(false); setLink(url); }} />}
      {rightsOf && <Modal opened onClose={() => setRightsOf(null)} size="lg" title={`What ${rightsOf.name} may do`}><Rights principal={rightsOf.id} mayChange={mayChange} /></Modal>}
      {link && <Secret title="The setup link, this once" lead="Whoever opens it chooses a password and is signed in. Hand it over in a way that you trust." parts={[{ label: 'Setup link', text: link }]} onClose={() => setLink(null)} />}
    </Panel>
  );
}

function Invite({ onClose, onInvited }: { onClose: () => void; onInvited: (url: string) => void }) {
  const [name, setName] = useState('');
  const [display, setDisplay] = useState('');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<string | null>('requester');
  const [team, setTeam] = useState<string | null>(null);
  const { data: roles } = useQuery({ queryKey: ['roles'], queryFn: () => call(api.GET('/api/v1/roles')) });
  const { data: teams } = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')) });
  const make = useMutation({
    mutationFn: () => call(api.POST('/api/v1/users', { body: { name, display_name: display || undefined, email: email || undefined, grants: role ? [{ role, ...(team ? { team } : {}) }] : [] } })),
    onSuccess: ({ setup_url }) => onInvited(setup_url),
    gcTime: 0,
  });
  return (
    <Modal opened onClose={onClose} title="Invite somebody">
      <form onSubmit={(event) => { event.preventDefault(); make.mutate(); }}>
        <Stack>
          {make.error && <ErrorNote error={make.error} />}
          <TextInput label="User name" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <TextInput label="Name" value={display} onChange={(event) => setDisplay(event.currentTarget.value)} />
          <TextInput label="Mail" type="email" value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
          <Select label="Role" data={(roles?.items ?? []).map((each) => each.name)} value={role} onChange={setRole} clearable placeholder="None yet" />
          <Select label="In the team" data={(teams?.items ?? []).map((each) => each.name)} value={team} onChange={setTeam} clearable placeholder="Everywhere" />
          <Button type="submit" loading={make.isPending}>Make the account</Button>
        </Stack>
      </form>
    </Modal>
  );
}
