import { IconUsers } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, call } from '../../api/client';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { Copy, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { ToDirectories } from './ClientSetup';

export function Accounts({ mayWrite }: { mayWrite: boolean }) {
  const revoke = useMutation({ mutationFn: (id: string) => call(api.POST('/api/v1/acme/accounts/{id}/revoke', { params: { path: { id } } })) });
  return (
    <Panel title="Accounts" flush>
      {revoke.error && <ErrorNote error={revoke.error} />}
      <PagedTable
        label="ACME accounts"
        queryKey={['acme', 'accounts']}
        read={(after) => call(api.GET('/api/v1/acme/accounts', { params: { query: { limit: 50, after } } }))}
        id={(account) => account.id}
        empty={<Empty icon={<IconUsers size={24} />} title="No accounts yet" action={<ToDirectories />}>The first client that registers shows here.</Empty>}
        columns={[
          { name: 'Account', cell: (account) => <Copy text={account.id} shown={`${account.id.slice(0, 14)}…`} /> },
          { name: 'State', cell: (account) => <State of={account.status} /> },
          { name: 'Contact', cell: (account) => <span className="wrap">{(account.contacts ?? []).map(visible).join(', ') || <span className="muted">none</span>}</span> },
          { name: 'Directory', cell: (account) => account.directory, wide: true },
          { name: 'Owner', cell: (account) => account.team ?? '–', wide: true },
          { name: 'Certificates', cell: (account) => <Link to="/certificates" search={{ account: account.id } as never}>Show</Link>, wide: true },
          { name: 'Since', cell: (account) => <When at={account.created_at} /> },
          { name: '', cell: (account) => mayWrite && account.status === 'valid' && <Danger label="Revoke" of={account.id} consequence="Its client can neither order nor renew with it any more." onConfirm={() => revoke.mutate(account.id)} /> },
        ]}
      />
    </Panel>
  );
}
