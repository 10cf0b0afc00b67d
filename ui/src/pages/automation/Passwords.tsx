import { Button, SegmentedControl } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Secret } from '../../components/Secret';
import { Empty, ErrorNote } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { PasswordDialog } from './PasswordDialog';

/** A row of either kind of secret. */
interface Row {
  id: string;
  name: string;
  status: string;
  opens: string;
  allowed: readonly string[];
  uses: number;
  most?: number | null;
  usedAt?: string | null;
  endsAt?: string | null;
}

const KINDS = [{ value: 'passwords', label: 'EST and SCEP' }, { value: 'secrets', label: 'CMP' }];

async function passwords(after: string | undefined): Promise<{ items: Row[]; next?: string | null }> {
  const page = await call(api.GET('/api/v1/enrollment-passwords', { params: { query: { limit: 50, after } } }));
  return { next: page.next, items: page.items.map((p) => ({ id: p.id, name: p.name, status: p.status, opens: `${p.protocol.toUpperCase()} ${p.entry_point}`, allowed: p.allowed_names ?? [], uses: p.uses, most: p.max_uses, usedAt: p.last_used_at, endsAt: p.expires_at })) };
}

async function secrets(after: string | undefined): Promise<{ items: Row[]; next?: string | null }> {
  const page = await call(api.GET('/api/v1/cmp/secrets', { params: { query: { limit: 50, after } } }));
  return { next: page.next, items: page.items.map((s) => ({ id: s.id, name: s.name, status: s.status, opens: `CMP ${s.endpoint} as ${s.reference}`, allowed: s.allowed_names ?? [], uses: s.uses, most: s.max_uses, usedAt: s.last_used_at, endsAt: s.expires_at })) };
}

/** What clients of EST, SCEP and CMP show at first. Each is seen once, when it is made. */
export function Passwords({ mayWrite }: { mayWrite: boolean }) {
  const [kind, setKind] = useState('passwords');
  const [open, setOpen] = useState(false);
  const [made, setMade] = useState<{ label: string; text: string }[] | null>(null);
  const revoke = useMutation({
    mutationFn: (id: string): Promise<unknown> => (id.startsWith('cms_') ? call(api.POST('/api/v1/cmp/secrets/{id}/revoke', { params: { path: { id } } })) : call(api.POST('/api/v1/enrollment-passwords/{id}/revoke', { params: { path: { id } } }))),
  });
  const add = mayWrite && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setOpen(true)}>New password</Button>;
  return (
    <Panel title="Enrollment passwords" flush note={<div style={{ display: 'flex', flexWrap: 'wrap', gap: 8 }}><SegmentedControl size="xs" aria-label="Of" data={KINDS} value={kind} onChange={setKind} />{add}</div>}>
      {revoke.error && <ErrorNote error={revoke.error} />}
      <PagedTable
        label="Enrollment passwords"
        queryKey={['enrolling', 'passwords', kind]}
        read={kind === 'passwords' ? passwords : secrets}
        id={(row) => row.id}
        empty={<Empty icon={<IconKey size={24} />} title="No passwords yet" action={add}>A password lets a device, or a batch of them, enroll for the first time: as often as you say, for the names that you say.</Empty>}
        columns={[
          { name: 'Name', cell: (row) => <strong>{visible(row.name)}</strong> },
          { name: 'State', cell: (row) => <State of={row.status} /> },
          { name: 'Opens', cell: (row) => <span className="wrap">{row.opens}</span> },
          { name: 'Names', cell: (row) => <span className="wrap">{row.allowed.join(', ') || 'any'}</span>, wide: true },
          { name: 'Used', cell: (row) => <span className="num">{row.uses}{row.most ? ` of ${row.most}` : '×'} {row.usedAt && <span className="muted"><When at={row.usedAt} /></span>}</span>, wide: true },
          { name: 'Ends', cell: (row) => (row.endsAt ? <When at={row.endsAt} /> : <span className="muted">never</span>), wide: true },
          { name: '', align: 'right', cell: (row) => mayWrite && row.status === 'usable' && <Danger label="Revoke" of={row.name} consequence="Nothing more is enrolled with it; what was, stays valid." loading={revoke.isPending && revoke.variables === row.id} onConfirm={() => revoke.mutate(row.id)} /> },
        ]}
      />
      {open && <PasswordDialog onClose={() => setOpen(false)} onMade={(parts) => { setOpen(false); setMade(parts); }} />}
      {made && <Secret title="The password, this once" lead="It is shown now and never again. Hand it to the device, or to whoever sets it up." parts={made} onClose={() => setMade(null)} />}
    </Panel>
  );
}
