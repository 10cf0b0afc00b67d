import { Button, Group, Progress, Select, Stack } from '@mantine/core';
import { useMutation, useQueries, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, callTagged, type Schema } from '../../api/client';
import { Panel } from '../../components/Page';
import { ErrorNote } from '../../components/States';
import { State, Status } from '../../components/Status';
import { Table } from '../../components/Table';
import { useAddress } from '../../lib/search';
import { plural } from '../../lib/time';
import { issuersQuery, summaryQuery } from '../overview/queries';
import { profilesQuery } from '../policy/Profiles';

type Choice = Schema<'IssuerChoice'>;

/** From one CA to another: requests first, then what was issued, in waves that can be watched and stopped. */
export function Swap({ from }: { from: string }) {
  const [search, change] = useAddress();
  const { data: issuers } = useQuery(issuersQuery);
  const candidates = (issuers?.items ?? []).filter((issuer) => issuer.name !== from && issuer.state === 'active' && !issuer.is_root);
  const to = candidates.find(({ name }) => name === search.to)?.name ?? null;
  const left = useCount({ issuer: from, status: 'valid', replaced: false });
  const moved = useCount({ issuer: from, status: 'valid', replaced: true });
  const all = Math.max(1, (left ?? 0) + (moved ?? 0));
  return (
    <Panel title={`Move away from ${from}`} note={<Button size="xs" variant="subtle" onClick={() => change({ swap: undefined, to: undefined })}>Close</Button>}>
      <Stack gap="lg">
        <div>
          <Progress.Root size="lg" mb="xs">
            <Progress.Section value={(100 * (moved ?? 0)) / all} aria-label="Moved" />
          </Progress.Root>
          <span className="num">{plural(moved ?? 0, 'certificate')} of it replaced, {(left ?? 0).toLocaleString('en')} to go.</span>{' '}
          <span className="muted">The old ones stay valid until their end: nothing breaks while the new ones are put in place.</span>
        </div>
        <Select maw={360} label="1. The CA that takes over" placeholder={candidates.length ? 'Choose' : 'No other active issuer; add one first'} data={candidates.map(({ name }) => name)} value={to} onChange={(next) => change({ to: next ?? undefined })} />
        {to && <Routes from={from} to={to} />}
        {to && <Waves from={from} />}
      </Stack>
    </Panel>
  );
}

function useCount(filter: { issuer: string; status: 'valid'; replaced: boolean; team?: string; owned?: boolean }): number | undefined {
  const { data } = useQuery({
    queryKey: ['certificates', 'count', 'swap', filter],
    queryFn: () => call(api.GET('/api/v1/certificates/count', { params: { query: filter } })),
  });
  return data?.count;
}

/** What profiles send to the old CA is sent to the new one; each is a version of its own, so there is a way back. */
function Routes({ from, to }: { from: string; to: string }) {
  const { data } = useQuery(profilesQuery);
  const [before, setBefore] = useState<Record<string, readonly Choice[]>>({});
  const route = useMutation({
    mutationFn: async ({ name, issuers }: { name: string; issuers: Choice[] }) => {
      const path = { path: { name } };
      const { value, etag } = await callTagged(api.GET('/api/v1/profiles/{name}', { params: path }));
      setBefore((known) => ({ ...known, [name]: known[name] ?? value.rules.issuers }));
      return call(api.PUT('/api/v1/profiles/{name}', { params: { ...path, header: { 'If-Match': etag } }, body: { ...value.rules, issuers } }));
    },
  });
  const profiles = (data?.items ?? []).filter(({ name, rules }) => name in before || rules.issuers.some(({ issuer }) => issuer === from));
  const swapped = (choices: readonly Choice[]): Choice[] => {
    const weight = choices.filter(({ issuer }) => issuer === from || issuer === to).reduce((sum, choice) => sum + choice.weight, 0);
    return [...choices.filter(({ issuer }) => issuer !== from && issuer !== to), { issuer: to, weight }];
  };
  return (
    <div>
      <strong>2. Send new requests there</strong>
      {route.error && <ErrorNote error={route.error} />}
      {profiles.length === 0 && <p className="muted">No profile sends anything to {from} any more.</p>}
      {profiles.length > 0 && (
        <Table
          label="Profiles"
          rows={profiles}
          id={(profile) => profile.name}
          columns={[
            { name: 'Profile', cell: (p) => <strong>{p.name}</strong> },
            { name: 'Goes to', cell: (p) => p.rules.issuers.map(({ issuer, weight }) => `${issuer} (${weight})`).join(', ') },
            {
              name: '', align: 'right',
              cell: (p) => {
                const back = before[p.name];
                return p.rules.issuers.some(({ issuer }) => issuer === from) ? (
                  <Button size="compact-xs" loading={route.isPending} onClick={() => route.mutate({ name: p.name, issuers: swapped(p.rules.issuers) })}>Send to {to}</Button>
                ) : (
                  back && <Button size="compact-xs" variant="default" loading={route.isPending} onClick={() => route.mutate({ name: p.name, issuers: [...back] })}>Back as before</Button>
                );
              },
            },
          ]}
        />
      )}
    </div>
  );
}

/** What is left, team by team: each wave is a bulk renewal with a dry run, progress, pause and an end. */
function Waves({ from }: { from: string }) {
  const navigate = useNavigate();
  const { data: summary } = useQuery(summaryQuery);
  const teams = (summary?.by_team ?? []).map(({ name }) => name ?? null);
  const filterOf = (team: string | null) => ({ issuer: from, status: 'valid' as const, replaced: false, ...(team === null ? { owned: false } : { team }) });
  const counts = useQueries({
    queries: teams.map((team) => ({
      queryKey: ['certificates', 'count', 'swap', from, team],
      queryFn: () => call(api.GET('/api/v1/certificates/count', { params: { query: filterOf(team) } })),
    })),
  });
  const rows = teams.map((team, index) => ({ team, count: counts[index]?.data?.count ?? 0 })).filter(({ count }) => count > 0);
  const plan = useMutation({
    mutationFn: (team: string | null) => call(api.POST('/api/v1/certificates/bulk', { body: { action: { kind: 'renew' }, filter: filterOf(team) } })),
    onSuccess: ({ id }) => navigate({ to: '/bulk/$id', params: { id } }),
  });
  const { data: running } = useQuery({ queryKey: ['bulk', 'list', 'swap'], queryFn: () => call(api.GET('/api/v1/certificates/bulk', { params: { query: { limit: 20 } } })) });
  const waves = (running?.items ?? []).filter(({ action, status }) => action.kind === 'renew' && (status === 'running' || status === 'paused'));
  return (
    <div>
      <strong>3. Renew what is left, in waves</strong>
      {plan.error && <ErrorNote error={plan.error} />}
      {waves.length > 0 && (
        <Group gap="xs" my="xs">
          {waves.map(({ id, status, counts: done }) => (
            <Button key={id} size="compact-sm" variant="default" onClick={() => void navigate({ to: '/bulk/$id', params: { id } })}>
              <State of={status} /> {done.done} of {done.done + done.pending + done.failed}
            </Button>
          ))}
        </Group>
      )}
      {rows.length === 0 ? (
        <p><Status tone="ok">Nothing is left</Status> <span className="muted">{from} can be retired: it then signs lists and answers, and no certificates.</span></p>
      ) : (
        <Table
          label="Waves"
          rows={rows}
          id={(row) => row.team ?? ''}
          columns={[
            { name: 'Team', cell: ({ team }) => team ?? <span className="muted">nobody’s</span> },
            { name: 'Certificates', cell: ({ count }) => <span className="num">{count.toLocaleString('en')}</span>, align: 'right' },
            { name: '', align: 'right', cell: ({ team }) => <Button size="compact-xs" loading={plan.isPending && plan.variables === team} onClick={() => plan.mutate(team)}>Plan this wave</Button> },
          ]}
        />
      )}
    </div>
  );
}
