import { Button, Modal, Progress, SegmentedControl, Stack } from '@mantine/core';
import { IconArrowBackUp, IconDownload, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Facts, grid, Page, Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { Names, When } from '../../components/Text';
import { save } from '../../lib/download';
import { visible } from '../../lib/names';
import { duration } from '../../lib/time';
import { useChoice } from '../../lib/search';
import { History } from '../certificates/History';
import { total } from './Migrations';
import { migrationQuery } from './queries';
import { Readiness } from './Swap';

type Migration = Schema<'IssuerMigration'>;

/** A move from one CA to another. The work is the server's: this page only looks, and survives whatever happens to it. */
export function MigrationPage() {
  const { id = '' } = useParams({ strict: false });
  const may = useMay();
  const query = useQuery(migrationQuery(id));
  const migration = query.data;
  return (
    <Page
      title={migration ? `${migration.from} → ${migration.to}` : 'Move between issuers'}
      above={{ label: 'Issuers', to: '/issuers' }}
      lead={migration && <><State of={migration.state} /> begun <When at={migration.created_at} full /></>}
      actions={migration && <Commands migration={migration} />}
    >
      {migration?.reason && <ErrorNote error={new Error(`It waits: ${visible(migration.reason)}`)} />}
      <div className={grid.grid}>
        <Panel title="Progress" className={grid.span7} note={migration && waveOf(migration)}>
          <Loaded query={query} rows={4}>{(data) => <Figures migration={data} />}</Loaded>
        </Panel>
        <Panel title="As planned" className={grid.span5}>
          <Loaded query={query} rows={4}>{(data) => <Terms migration={data} />}</Loaded>
        </Panel>
        <Items id={id} />
        {may('audit:read') && <Panel title="History" flush><History object={id} /></Panel>}
      </div>
    </Page>
  );
}

function waveOf({ wave, state }: Migration): string | undefined {
  if (wave > 0) return `wave ${wave}`;
  return state === 'running' || state === 'paused' ? 'before the first wave' : undefined;
}

const PARTS = [
  { key: 'renewed', color: 'pine', words: 'renewed' },
  { key: 'pulled', color: 'blue', words: 'told to renew' },
  { key: 'waiting', color: 'gray', words: 'waiting for their wave' },
  { key: 'late', color: 'red', words: 'late' },
  { key: 'left', color: 'yellow', words: 'left to people' },
] as const;

function Bar({ of, label }: { of: Schema<'MigrationProgress'>; label: string }) {
  const all = Math.max(1, total(of));
  return (
    <div>
      <strong>{label}</strong>
      <Progress.Root size="lg" my="xs">
        {PARTS.map(({ key, color, words }) => of[key] > 0 && <Progress.Section key={key} value={(100 * of[key]) / all} color={color} aria-label={`${of[key]} ${words}`} />)}
      </Progress.Root>
      <span className="num" role="status">{PARTS.filter(({ key }) => of[key] > 0).map(({ key, words }) => `${of[key].toLocaleString('en')} ${words}`).join(', ') || 'none'}</span>
    </div>
  );
}

function Figures({ migration }: { migration: Migration }) {
  const { progress, wave_progress: wave, wave_started_at: begun, wave_seconds } = migration;
  return (
    <Stack gap="md">
      <Bar of={progress} label="All" />
      {migration.wave > 0 && <Bar of={wave} label={`Wave ${migration.wave}`} />}
      {begun && migration.state === 'running' && (
        <span className="muted">The wave began <When at={begun} /> and is looked at again <When at={new Date(Date.parse(begun) + wave_seconds * 1_000).toISOString()} />.</span>
      )}
      {migration.finished_at && <span>Over <When at={migration.finished_at} full />.</span>}
    </Stack>
  );
}

function Terms({ migration }: { migration: Migration }) {
  return (
    <Stack gap="md">
      <Readiness of={migration.readiness} />
      <Facts
        rows={[
          ['Waves', <span className="num">{migration.wave_size.toLocaleString('en')} each, {duration(migration.wave_seconds)}</span>],
          ['Stops above', `${migration.stop_above_percent} % late`],
          ['Profiles', <span className="wrap">{migration.profiles.join(', ') || 'none'}</span>],
        ]}
      />
    </Stack>
  );
}

function Commands({ migration }: { migration: Migration }) {
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const path = { params: { path: { id: migration.id } } };
  const act = useMutation({
    mutationFn: (verb: 'pause' | 'resume' | 'rollback'): Promise<unknown> => {
      switch (verb) {
        case 'pause':
          return call(api.POST('/api/v1/issuer-migrations/{id}/pause', path));
        case 'resume':
          return call(api.POST('/api/v1/issuer-migrations/{id}/resume', path));
        case 'rollback':
          return call(api.POST('/api/v1/issuer-migrations/{id}/rollback', path));
      }
    },
    onSuccess: () => setAsking(false),
  });
  const report = useMutation({ mutationFn: () => writeReport(migration) });
  const { state } = migration;
  const mayChange = may('issuers:administer');
  const isOpen = state === 'running' || state === 'paused';
  return (
    <>
      {!asking && (act.error ?? report.error) && <ErrorNote error={act.error ?? report.error} />}
      <Button variant="default" leftSection={<IconDownload size={16} />} loading={report.isPending} onClick={() => report.mutate()}>Report</Button>
      {mayChange && state === 'running' && <Button variant="default" leftSection={<IconPlayerPause size={16} />} loading={act.isPending} onClick={() => act.mutate('pause')}>Pause</Button>}
      {mayChange && state === 'paused' && <Button leftSection={<IconPlayerPlay size={16} />} loading={act.isPending} onClick={() => act.mutate('resume')}>Go on</Button>}
      {mayChange && isOpen && <Button variant="light" color="red" leftSection={<IconArrowBackUp size={16} />} onClick={() => setAsking(true)}>Roll back</Button>}
      <Modal opened={asking} onClose={() => setAsking(false)} title="Put everything back?">
        <Stack>
          {act.error && <ErrorNote error={act.error} />}
          <p style={{ margin: 0 }}>The profiles send requests to {migration.from} again, and no further certificate is pulled forward. What was renewed by {migration.to} stays as it is.</p>
          <Button color="red" loading={act.isPending} onClick={() => act.mutate('rollback')}>Roll back</Button>
        </Stack>
      </Modal>
    </>
  );
}

/** Every certificate and what became of it, as a table for whoever has to account for the move. */
async function writeReport(migration: Migration): Promise<void> {
  const lines = ['certificate,names,readiness,state,wave,successor'];
  let after: string | undefined;
  do {
    const page = await call(api.GET('/api/v1/issuer-migrations/{id}/items', { params: { path: { id: migration.id }, query: { limit: 500, after } } }));
    for (const item of page.items) lines.push([item.certificate, cell((item.names ?? []).join(' ')), item.readiness, item.state, item.wave ?? '', item.successor ?? ''].join(','));
    after = page.next ?? undefined;
  } while (after);
  save(new Blob([`${lines.join('\n')}\n`], { type: 'text/csv' }), `${migration.from}-to-${migration.to}.csv`);
}

/** A text that a table takes for a text, whatever it begins with. */
const cell = (text: string): string => `"${/^[=+\-@\t\r]/.test(text) ? "'" : ''}${text.replaceAll('"', '""')}"`;

const STATES = { waiting: 'Waiting', pulled: 'Told to renew', renewed: 'Renewed', late: 'Late', left: 'Left to people' } as const;

type ItemState = keyof typeof STATES;

const CHOICES = [{ value: 'all', label: 'All' }, ...Object.entries(STATES).map(([value, label]) => ({ value, label }))];

function Items({ id }: { id: string }) {
  const [state, setState] = useChoice<ItemState | 'all'>('state', ['all', 'waiting', 'pulled', 'renewed', 'late', 'left']);
  const filter = state === 'all' ? undefined : state;
  return (
    <Panel title="Certificates" flush note={<div style={{ maxWidth: '100%', overflowX: 'auto' }}><SegmentedControl size="xs" aria-label="State" data={CHOICES} value={state} onChange={setState} /></div>}>
      <PagedTable
        label="Certificates of this move"
        queryKey={['issuers', 'migrations', id, 'items', state]}
        read={(after) => call(api.GET('/api/v1/issuer-migrations/{id}/items', { params: { path: { id }, query: { limit: 50, after, state: filter } } }))}
        id={(item) => item.certificate}
        empty={<Empty title="None of these">Another state may have some.</Empty>}
        columns={[
          { name: 'Certificate', cell: (item) => <Link to="/certificates/$id" params={{ id: item.certificate }}><Names of={item.names ?? []} fallback={item.certificate} /></Link> },
          { name: 'Renewed by', cell: (item) => (item.readiness === 'automatic' ? 'its client' : item.readiness === 'person' ? 'somebody' : 'somebody: it is pinned'), wide: true },
          { name: 'State', cell: (item) => <State of={item.state} as={STATES[item.state as ItemState]} /> },
          { name: 'Wave', cell: (item) => item.wave ?? '–', align: 'right', wide: true },
          { name: 'Successor', cell: (item) => item.successor && <Link to="/certificates/$id" params={{ id: item.successor }}>Its successor</Link>, wide: true },
        ]}
      />
    </Panel>
  );
}
