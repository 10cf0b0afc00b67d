import { Button, Progress, SegmentedControl } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { api, call, type Schema } from '../../api/client';
import { Danger } from '../../components/Danger';
import { Page, Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { Who } from '../../components/Who';
import { Names, When } from '../../components/Text';
import { useChoice } from '../../lib/search';
import { plural } from '../../lib/time';

type Bulk = Schema<'Bulk'>;

export function bulkTitle(action: Schema<'BulkAction'>): string {
  switch (action.kind) {
    case 'renew':
      return 'Renew';
    case 'revoke':
      return `Revoke (${action.reason})`;
    case 'transfer':
      return action.team ? `Transfer to ${action.team}` : 'Transfer to nobody';
    case 'edit-metadata':
      return `Set ${Object.keys(action.metadata).join(', ')}`;
  }
}

/** A plan, and how far it is. It survives a reload: the work is the server's. */
export function BulkPage() {
  const { id = '' } = useParams({ strict: false });
  const query = useQuery({
    queryKey: ['bulk', id],
    queryFn: () => call(api.GET('/api/v1/certificates/bulk/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data?.status === 'running' ? 1_000 : 30_000),
  });
  const bulk = query.data;
  return (
    <Page title={bulk ? bulkTitle(bulk.action) : 'Bulk action'} above={{ label: 'Bulk actions', to: '/bulk' }} lead={bulk && <>Planned <When at={bulk.created_at} /> by <Who id={bulk.planner} people={bulk.people} /></>} actions={bulk && <Commands bulk={bulk} />}>
      <Panel title="Progress" note={bulk && <State of={bulk.status} />}>
        <Loaded query={query} rows={2}>{(data) => <Figures bulk={data} />}</Loaded>
      </Panel>
      <Items id={id} />
    </Page>
  );
}

function Figures({ bulk }: { bulk: Bulk }) {
  const { done, failed, pending, excluded } = bulk.counts;
  const all = Math.max(1, done + failed + pending);
  return (
    <div style={{ minHeight: 66 }}>
      <Progress.Root size="lg" mb="sm">
        <Progress.Section value={(100 * done) / all} color="pine" aria-label={`${done} done`} />
        <Progress.Section value={(100 * failed) / all} color="red" aria-label={`${failed} failed`} />
      </Progress.Root>
      <div className="num" role="status">
        {done.toLocaleString('en')} done, {failed.toLocaleString('en')} failed, {pending.toLocaleString('en')} {bulk.status === 'planned' ? 'to be done' : 'to go'}
        {excluded > 0 && <>; {plural(excluded, 'certificate')} left out, with the reason below</>}
        {bulk.status === 'planned' && <span className="muted"> · nothing happened yet; the plan can be run <When at={bulk.expires_at} /> at the latest</span>}
        {bulk.status === 'running' && <span className="muted"> · {bulk.per_minute} a minute at most</span>}
      </div>
    </div>
  );
}

function Commands({ bulk }: { bulk: Bulk }) {
  const path = { params: { path: { id: bulk.id } } };
  const act = useMutation({
    mutationFn: (verb: 'run' | 'pause' | 'resume' | 'cancel'): Promise<Bulk> => {
      switch (verb) {
        case 'run':
          return call(api.POST('/api/v1/certificates/bulk/{id}/run', path));
        case 'pause':
          return call(api.POST('/api/v1/certificates/bulk/{id}/pause', path));
        case 'resume':
          return call(api.POST('/api/v1/certificates/bulk/{id}/resume', path));
        case 'cancel':
          return call(api.POST('/api/v1/certificates/bulk/{id}/cancel', path));
      }
    },
  });
  const { status, counts } = bulk;
  return (
    <>
      {act.error && <ErrorNote error={act.error} />}
      {status === 'planned' && bulk.action.kind === 'revoke' && (
        <Danger label={`Run it: ${plural(counts.pending, 'certificate')}`} size="sm" variant="filled" consequence="Each of them is revoked, for good: what uses it fails at once." disabled={counts.pending === 0} loading={act.isPending} leftSection={<IconPlayerPlay size={16} />} onConfirm={() => act.mutate('run')} />
      )}
      {status === 'planned' && bulk.action.kind !== 'revoke' && (
        <Button loading={act.isPending} disabled={counts.pending === 0} leftSection={<IconPlayerPlay size={16} />} onClick={() => act.mutate('run')}>
          Run it: {plural(counts.pending, 'certificate')}
        </Button>
      )}
      {status === 'running' && <Button variant="default" leftSection={<IconPlayerPause size={16} />} onClick={() => act.mutate('pause')}>Pause</Button>}
      {status === 'paused' && <Button leftSection={<IconPlayerPlay size={16} />} onClick={() => act.mutate('resume')}>Go on</Button>}
      {(status === 'running' || status === 'paused' || status === 'planned') && (
        <Button variant="default" leftSection={<IconPlayerStop size={16} />} onClick={() => act.mutate('cancel')}>Cancel</Button>
      )}
    </>
  );
}

const OUTCOMES = Object.entries({ all: 'All', pending: 'Pending', done: 'Done', failed: 'Failed', excluded: 'Left out' }).map(([value, label]) => ({ value, label }));

/** A certificate by its names, which stay the same as long as it is. */
function Certificate({ id }: { id: string }) {
  const { data } = useQuery({
    queryKey: ['certificate-names', id],
    queryFn: () => call(api.GET('/api/v1/certificates/{id}', { params: { path: { id } } })),
    select: ({ names, subject }) => ({ names, subject }),
    staleTime: Infinity,
    refetchInterval: false,
  });
  return (
    <Link to="/certificates/$id" params={{ id }} title={id}>
      {data ? <Names of={data.names} fallback={data.subject} /> : <span className="mono">{id}</span>}
    </Link>
  );
}

function Items({ id }: { id: string }) {
  const [outcome, setOutcome] = useChoice('outcome', OUTCOMES.map(({ value }) => value));
  const filter = outcome === 'all' ? undefined : (outcome as Schema<'BulkOutcome'>);
  return (
    <Panel title="Certificates" flush note={<SegmentedControl size="xs" aria-label="Outcome" data={OUTCOMES} value={outcome} onChange={setOutcome} />}>
      <PagedTable
        label="Certificates of this action"
        queryKey={['bulk', id, 'items', outcome]}
        read={(after) => call(api.GET('/api/v1/certificates/bulk/{id}/items', { params: { path: { id }, query: { limit: 50, after, outcome: filter } } }))}
        id={(item) => item.certificate}
        empty={<Empty title="None of these">Another outcome may have some.</Empty>}
        columns={[
          { name: 'Certificate', cell: (item) => <Certificate id={item.certificate} /> },
          { name: 'Outcome', cell: (item) => <State of={item.outcome} as={item.outcome === 'excluded' ? 'Left out' : undefined} />, width: 120 },
          { name: 'Detail', cell: (item) => <span className="wrap">{item.detail?.startsWith('enr_') ? <Link to="/requests/$id" params={{ id: item.detail }}>Its renewal</Link> : item.detail}</span> },
        ]}
      />
    </Panel>
  );
}
