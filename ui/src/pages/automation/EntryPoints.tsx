import { Button } from '@mantine/core';
import { IconDoorEnter, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { Table } from '../../components/Table';
import { Copy } from '../../components/Text';
import { EntryPointDialog } from './EntryPointDialog';
import { ENTRANCES, type Entrance, type Kind } from './entrances';

/** Where clients of EST, SCEP or CMP come in: one list for each protocol. */
export function EntryPoints({ kind, mayWrite }: { kind: Kind; mayWrite: boolean }) {
  const protocol = ENTRANCES[kind];
  const query = useQuery({ queryKey: ['enrolling', kind], queryFn: protocol.list });
  const [edited, setEdited] = useState<Entrance | 'new' | null>(null);
  const remove = useMutation({ mutationFn: protocol.remove });
  const add = mayWrite && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setEdited('new')}>New {protocol.noun}</Button>;
  return (
    <Panel title={protocol.title} flush note={add}>
      {remove.error && <ErrorNote error={remove.error} />}
      <Loaded query={query} rows={2}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<IconDoorEnter size={24} />} title={`No ${protocol.noun} yet`} action={add}>{protocol.teach}</Empty>
          ) : (
            <Table
              label={protocol.title}
              rows={items}
              id={(point) => point.id}
              columns={[
                { name: 'Name', cell: (p) => <strong>{p.name}</strong> },
                { name: 'What clients are given', cell: (p) => <Copy text={p.url} /> },
                { name: 'Profile', cell: (p) => <span className="wrap">{protocol.profiles(p.rules).join(', ')}</span>, wide: true },
                { name: 'Owner', cell: (p) => p.team ?? <span className="muted">everybody</span>, wide: true },
                { name: '', align: 'right', cell: (p) => mayWrite && <><Button size="compact-xs" variant="default" aria-label={`Edit ${p.name}`} onClick={() => setEdited(p)}>Edit</Button> <Danger label="Delete" of={p.name} consequence="Clients that come to its address are turned away." loading={remove.isPending && remove.variables === p.name} onConfirm={() => remove.mutate(p.name)} /></> },
              ]}
            />
          )
        }
      </Loaded>
      {edited && <EntryPointDialog kind={kind} point={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}
