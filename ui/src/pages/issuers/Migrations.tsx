import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/client';
import { Panel } from '../../components/Page';
import { State } from '../../components/Status';
import { Table } from '../../components/Table';
import { When } from '../../components/Text';
import { migrationsQuery } from './queries';

export const total = (of: Schema<'MigrationProgress'>): number => of.waiting + of.pulled + of.renewed + of.late + of.left;

/** Moves from one CA to another, under way and done. */
export function Migrations({ from }: { from?: string }) {
  const { data } = useQuery(migrationsQuery);
  const rows = (data?.items ?? []).filter((migration) => !from || migration.from === from || migration.to === from);
  if (rows.length === 0) return null;
  return (
    <Panel title="Moves between issuers" flush>
      <Table
        label="Moves between issuers"
        rows={rows}
        id={(migration) => migration.id}
        columns={[
          { name: 'Move', cell: (m) => <Link to="/migrations/$id" params={{ id: m.id }}>{m.from} → {m.to}</Link> },
          { name: 'State', cell: (m) => <State of={m.state} /> },
          { name: 'Wave', cell: (m) => <span className="num">{m.wave}</span>, align: 'right', wide: true },
          { name: 'Renewed', cell: (m) => <span className="num">{m.progress.renewed.toLocaleString('en')} of {total(m.progress).toLocaleString('en')}</span>, align: 'right' },
          { name: 'Begun', cell: (m) => <When at={m.created_at} /> },
        ]}
      />
    </Panel>
  );
}
