import { Button } from '@mantine/core';
import { IconLogin2, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { Table } from '../../components/Table';
import { Copy } from '../../components/Text';
import { ProviderDialog } from './ProviderDialog';

/** OpenID Connect providers; and who has to wait after failed sign-ins. */
export function SignOn() {
  const may = useMay();
  const providers = useQuery({ queryKey: ['sign-on-providers'], queryFn: () => call(api.GET('/api/v1/sign-on/providers')) });
  const locks = useQuery({ queryKey: ['sign-in-locks'], queryFn: () => call(api.GET('/api/v1/sign-in-locks')) });
  const [edited, setEdited] = useState<Schema<'Provider'> | 'new' | null>(null);
  const remove = useMutation({ mutationFn: (name: string) => call(api.DELETE('/api/v1/sign-on/providers/{name}', { params: { path: { name } } })) });
  const lift = useMutation({ mutationFn: ({ kind, subject }: Schema<'SignInLock'>) => call(api.DELETE('/api/v1/sign-in-locks', { params: { query: { kind, subject } } })) });
  const mayChange = may('access:administer');
  const add = mayChange && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setEdited('new')}>New provider</Button>;
  return (
    <>
      <Panel title="OpenID Connect providers" flush note={add}>
        {remove.error && <ErrorNote error={remove.error} />}
        <Loaded query={providers} rows={2}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty icon={<IconLogin2 size={24} />} title="People sign in with passwords and passkeys" action={add}>A provider (Keycloak, Entra ID, Google, …) brings your people and their groups along.</Empty>
            ) : (
              <Table
                label="Providers"
                rows={page.items}
                id={(provider) => provider.name}
                columns={[
                  { name: 'Provider', cell: (p) => <strong>{p.title}</strong> },
                  { name: 'Issuer', cell: (p) => <span className="wrap">{p.issuer}</span>, wide: true },
                  { name: 'Redirect URI', cell: (p) => <Copy text={p.redirect_uri} />, wide: true },
                  { name: 'Groups', cell: (p) => <span className="wrap">{(p.grants ?? []).map(({ group, role, team }) => `${group}: ${role}${team ? ` in ${team}` : ''}`).join('; ') || <span className="muted">none mapped</span>}</span>, wide: true },
                  { name: 'State', cell: (p) => <Status tone={p.enabled === false ? 'off' : 'ok'}>{p.enabled === false ? 'Off' : 'On'}</Status> },
                  { name: '', align: 'right', cell: (p) => mayChange && <><Button size="compact-xs" variant="default" aria-label={`Edit ${p.name}`} onClick={() => setEdited(p)}>Edit</Button> <Danger label="Delete" of={p.name} consequence="Nobody signs in by it any more; its people stay." onConfirm={() => remove.mutate(p.name)} /></> },
                ]}
              />
            )
          }
        </Loaded>
      </Panel>
      <Panel title="Who has to wait" note="after failed sign-ins" flush>
        <Loaded query={locks} rows={2}>
          {(page) =>
            page.items.length === 0 ? (
              <Empty title="Nobody">A name or an address that fails too often waits before it may try again; it would be listed here, and could be let in.</Empty>
            ) : (
              <Table label="Locks" rows={page.items} id={(lock) => `${lock.kind} ${lock.subject}`} columns={[
                { name: 'Who', cell: (lock) => <strong>{lock.subject}</strong> },
                { name: 'Kind', cell: (lock) => lock.kind },
                { name: 'Failures', cell: (lock) => lock.failures, align: 'right' },
                { name: '', align: 'right', cell: (lock) => mayChange && <Button size="compact-xs" variant="default" onClick={() => lift.mutate(lock)}>Let in again</Button> },
              ]} />
            )
          }
        </Loaded>
      </Panel>
      {edited && <ProviderDialog provider={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </>
  );
}
