import { Button, Group, Modal, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { meQuery, sessionQuery } from '../../api/session';
import { Danger } from '../../components/Danger';
import { Facts, grid, Page, Panel } from '../../components/Page';
import { Secret } from '../../components/Secret';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { PagedTable, Table } from '../../components/Table';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { makePasskey } from '../../lib/webauthn';
import { Authenticator } from './Authenticator';

/** How one signs in, from where one is signed in, and what one may do. */
export function OwnProfile() {
  const { data: session } = useQuery(sessionQuery);
  const { data: me } = useQuery(meQuery);
  return (
    <Page title="Sign-in and sessions" lead={session && <>You are {session.display_name || session.name}.</>}>
      <div className={grid.grid}>
        <Panel title="Ways to sign in" className={grid.span6}><Ways /></Panel>
        <Panel title="What you may do" className={grid.span6}>
          <Facts rows={(me?.roles ?? []).map(({ role, team }) => [role, team ? `in the team ${team}` : 'everywhere'])} />
          {me?.roles.length === 0 && <p className="muted">No role yet: ask whoever invited you.</p>}
        </Panel>
        <Passkeys className={grid.span4} />
        <Sessions className={grid.span8} />
      </div>
    </Page>
  );
}

function Ways() {
  const { data: session } = useQuery(sessionQuery);
  const queries = useQueryClient();
  const [dialog, setDialog] = useState<'password' | 'totp' | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const refresh = () => void queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
  const renew = useMutation({ mutationFn: () => call(api.POST('/api/v1/session/recovery-codes')), onSuccess: (made) => setCodes(made.codes) });
  const remove = useMutation({ mutationFn: () => call(api.DELETE('/api/v1/session/totp')), onSuccess: refresh });
  const factors = session?.factors;
  const error = renew.error ?? remove.error;
  return (
    <Stack>
      {error && <ErrorNote error={error} />}
      <Facts
        rows={[
          ['Password', factors?.password ? <Status key="p" tone="ok">Set</Status> : 'none'],
          ['Authenticator', factors?.authenticator ? <Status key="a" tone="ok">On</Status> : <Status key="a" tone="warn">Off: a password alone opens everything</Status>],
          ['Recovery codes', factors?.authenticator ? `${factors.recovery_codes} left` : undefined],
          ['Passkeys', String(factors?.passkeys ?? 0)],
        ]}
      />
      <Group gap="xs">
        <Button variant="default" onClick={() => setDialog('password')}>Change the password</Button>
        {factors?.authenticator ? (
          <>
            <Button variant="default" loading={renew.isPending} onClick={() => renew.mutate()}>New recovery codes</Button>
            <Danger label="Remove the authenticator" size="sm" consequence="The password alone signs you in then, and the recovery codes are void." loading={remove.isPending} onConfirm={() => remove.mutate()} />
          </>
        ) : (
          <Button onClick={() => setDialog('totp')}>Set up an authenticator</Button>
        )}
      </Group>
      {dialog === 'password' && <ChangePassword onClose={() => setDialog(null)} />}
      {dialog === 'totp' && <Authenticator onClose={() => { setDialog(null); refresh(); }} onCodes={setCodes} />}
      {codes && <Secret title="Recovery codes, this once" lead="Each opens one sign-in without the authenticator. Print them, or keep them in a password manager." parts={[{ label: 'Recovery codes', text: codes.join('\n') }]} onClose={() => setCodes(null)} />}
    </Stack>
  );
}

function ChangePassword({ onClose }: { onClose: () => void }) {
  const [password, setPassword] = useState('');
  const [fresh, setFresh] = useState('');
  const save = useMutation({ mutationFn: () => call(api.POST('/api/v1/session/password', { body: { password, new_password: fresh } })), onSuccess: onClose, gcTime: 0 });
  return (
    <Modal opened onClose={onClose} title="Change the password">
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          <PasswordInput label="Password until now" required autoComplete="current-password" data-autofocus value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
          <PasswordInput label="New password" description="12 characters or more; other sessions end" required minLength={12} autoComplete="new-password" value={fresh} onChange={(event) => setFresh(event.currentTarget.value)} />
          <Button type="submit" loading={save.isPending}>Change it</Button>
        </Stack>
      </form>
    </Modal>
  );
}

function Passkeys({ className }: { className?: string }) {
  const query = useQuery({ queryKey: ['passkeys'], queryFn: () => call(api.GET('/api/v1/session/passkeys')) });
  const [name, setName] = useState('');
  const add = useMutation({
    mutationFn: async () => {
      const { ticket, options } = await call(api.POST('/api/v1/session/passkeys/challenge'));
      const credential = await makePasskey(options);
      return call(api.POST('/api/v1/session/passkeys', { body: { ticket, name: name || 'This device', credential: credential as never } }));
    },
    onSuccess: () => setName(''),
  });
  const remove = useMutation({ mutationFn: (id: string) => call(api.DELETE('/api/v1/session/passkeys/{id}', { params: { path: { id } } })) });
  const error = add.error ?? remove.error;
  return (
    <Panel title="Passkeys" className={className} flush>
      {error && <div style={{ padding: 16 }}><ErrorNote error={error} /></div>}
      <Loaded query={query} rows={2}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty title="No passkey yet">A fingerprint or a key in your pocket, instead of a password: nobody can fish for it.</Empty>
          ) : (
            <Table label="Passkeys" rows={page.items} id={(passkey) => passkey.id} columns={[
              { name: 'Name', cell: (p) => <strong>{visible(p.name)}</strong> },
              { name: 'Since', cell: (p) => <When at={p.created_at} /> },
              { name: 'Last used', cell: (p) => (p.last_used_at ? <When at={p.last_used_at} /> : 'never') },
              { name: '', align: 'right', cell: (p) => <Danger label="Remove" of={p.name} consequence="It no longer signs you in." onConfirm={() => remove.mutate(p.id)} /> },
            ]} />
          )
        }
      </Loaded>
      <Group p="md" gap="xs">
        <TextInput aria-label="Name of the passkey" placeholder="This device" value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Button variant="default" loading={add.isPending} onClick={() => add.mutate()}>Add a passkey</Button>
      </Group>
    </Panel>
  );
}

function Sessions({ className }: { className?: string }) {
  const end = useMutation({ mutationFn: (id: string) => call(api.DELETE('/api/v1/sessions/{id}', { params: { path: { id } } })) });
  const others = useMutation({ mutationFn: () => call(api.DELETE('/api/v1/sessions')) });
  return (
    <Panel title="Where you are signed in" flush className={className} note={<Button size="xs" variant="default" loading={others.isPending} onClick={() => others.mutate()}>End all others</Button>}>
      <PagedTable
        label="Sessions"
        queryKey={['sessions']}
        read={(after) => call(api.GET('/api/v1/sessions', { params: { query: { limit: 50, after } } }))}
        id={(session) => session.id}
        empty={<Empty title="None" />}
        columns={[
          { name: 'Browser', cell: (s) => <span className="wrap">{browser(s.user_agent)} {s.is_current && <Status tone="ok">This one</Status>}</span> },
          { name: 'From', cell: (s) => s.address ?? '–', wide: true },
          { name: 'By', cell: (s) => s.method.replaceAll('-', ' '), wide: true },
          { name: 'Last used', cell: (s) => <When at={s.last_used_at} /> },
          { name: 'Ends', cell: (s) => <When at={s.ends_at} />, wide: true },
          { name: '', align: 'right', cell: (s) => !s.is_current && <Button size="compact-xs" variant="light" color="red" onClick={() => end.mutate(s.id)}>End</Button> },
        ]}
      />
    </Panel>
  );
}

function browser(agent: string | null | undefined): string {
  if (!agent) return 'Unknown';
  const name = ['Edg', 'Firefox', 'Chrome', 'Safari'].find((each) => agent.includes(each));
  const system = ['Android', 'iPhone', 'Windows', 'Mac OS', 'Linux'].find((each) => agent.includes(each));
  return name ? `${name === 'Edg' ? 'Edge' : name}${system ? ` on ${system}` : ''}` : visible(agent.slice(0, 60));
}
