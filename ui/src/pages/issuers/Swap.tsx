import { Button, Group, NumberInput, Progress, Select, Stack, TextInput } from '@mantine/core';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Panel } from '../../components/Page';
import { ErrorNote, Skeleton } from '../../components/States';
import { useAddress } from '../../lib/search';
import { duration, plural } from '../../lib/time';
import { issuersQuery } from '../overview/queries';
import css from './issuers.module.css';

const HOUR = 3_600;

/** The pace that is usual. */
const USUAL = { size: '500', hours: '24', stop: '5', pin: 'pinned' };

/** From one CA to another: what is moved, what it would do, and off it goes. The address keeps what was chosen. */
export function Swap({ from }: { from: string }) {
  const [search, change] = useAddress();
  const { data: issuers } = useQuery(issuersQuery);
  const candidates = (issuers?.items ?? []).filter((issuer) => issuer.name !== from && issuer.state === 'active' && !issuer.is_root);
  const to = candidates.find(({ name }) => name === search.to)?.name ?? null;
  const number = (key: 'size' | 'hours' | 'stop') => Number(search[key] ?? USUAL[key]);
  const wanted = (key: 'size' | 'hours' | 'stop') => ({ value: number(key), onChange: (next: number | string) => change({ [key]: next === '' || String(next) === USUAL[key] ? undefined : String(next) }) });
  const body: Schema<'MigrateIssuer'> | null = to === null ? null : {
    from,
    to,
    ...(search.only ? { filter: { q: search.only } } : {}),
    pin_field: search.pin ?? USUAL.pin,
    wave_size: number('size'),
    wave_seconds: Math.round(number('hours') * HOUR),
    stop_above_percent: number('stop'),
  };
  const close = () => change({ swap: undefined, to: undefined, only: undefined, size: undefined, hours: undefined, stop: undefined, pin: undefined });
  return (
    <Panel title={`Move away from ${from}`} note={<Button size="xs" variant="subtle" onClick={close}>Close</Button>}>
      <Stack gap="lg">
        <p className="muted" style={{ margin: 0 }}>Profiles send new requests to the other CA at once. Clients that ask when to renew are told, wave by wave, that it is time. The old certificates stay valid until their end: nothing breaks while the new ones are put in place.</p>
        <div className={css.steps}>
          <Stack gap="sm">
            <strong>1. What, and where to</strong>
            <Select label="The CA that takes over" placeholder={candidates.length ? 'Choose' : 'No other active issuer; add one first'} data={candidates.map(({ name }) => name)} value={to} onChange={(next) => change({ to: next ?? undefined })} />
            <Only value={search.only ?? ''} onChange={(only) => change({ only: only || undefined })} />
            <TextInput label="The field that pins" description="Certificates with a value in it are left to people" defaultValue={search.pin ?? USUAL.pin} onBlur={(event) => change({ pin: event.currentTarget.value === USUAL.pin ? undefined : event.currentTarget.value })} />
          </Stack>
          <Stack gap="sm">
            <strong>2. How fast, and when to stop</strong>
            <NumberInput label="Certificates in a wave" min={1} max={100_000} allowDecimal={false} {...wanted('size')} />
            <NumberInput label="Hours a wave has" description="Clients ask every six hours when to renew" min={0.17} max={720} decimalScale={2} {...wanted('hours')} />
            <NumberInput label="Stop above" description="Per cent of a wave that were not renewed in time" suffix=" %" min={0} max={100} allowDecimal={false} {...wanted('stop')} />
          </Stack>
          <Stack gap="sm">
            <strong>3. What it would do</strong>
            {body ? <Plan body={body} /> : <p className="muted" style={{ margin: 0 }}>Choose the CA that takes over: the dry run shows here, and changes nothing.</p>}
          </Stack>
        </div>
      </Stack>
    </Panel>
  );
}

function Only({ value, onChange }: { value: string; onChange: (next: string) => void }) {
  const [draft, setDraft] = useState(value);
  return (
    <TextInput
      label="Only those that fit"
      description={<>As in the list of certificates; empty: all. <Link to="/certificates" search={{ q: draft } as never}>See them</Link></>}
      placeholder="team:web"
      value={draft}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={() => onChange(draft.trim())}
      onKeyDown={(event) => event.key === 'Enter' && onChange(draft.trim())}
    />
  );
}

function Plan({ body }: { body: Schema<'MigrateIssuer'> }) {
  const may = useMay();
  const navigate = useNavigate();
  const plan = useQuery({
    queryKey: ['issuers', 'migration plan', body],
    queryFn: () => call(api.POST('/api/v1/issuer-migrations/plan', { body })),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const begin = useMutation({
    mutationFn: () => call(api.POST('/api/v1/issuer-migrations', { body })),
    onSuccess: ({ id }) => navigate({ to: '/migrations/$id', params: { id } }),
  });
  if (plan.error) return <ErrorNote error={plan.error} retry={() => void plan.refetch()} />;
  if (!plan.data) return <Skeleton height={160} />;
  const { readiness, waves, profiles } = plan.data;
  const seconds = waves * (body.wave_seconds ?? 0);
  return (
    <Stack gap="sm" aria-busy={plan.isFetching}>
      <Readiness of={readiness} />
      <div>
        {readiness.automatic === 0 ? 'Nothing renews by itself here.' : <><strong>{plural(waves, 'wave')}</strong> <span className="muted">of up to {body.wave_size}, {duration(seconds)} altogether.</span></>}
      </div>
      <div className="wrap">{profiles.length ? <>New requests of <strong>{profiles.join(', ')}</strong> go to {body.to} at once.</> : <span className="muted">No profile sends anything to {body.from}.</span>}</div>
      {begin.error && <ErrorNote error={begin.error} />}
      {may('issuers:administer') && (
        <Group>
          <Button loading={begin.isPending} disabled={plan.isFetching} onClick={() => begin.mutate()}>Begin the move</Button>
        </Group>
      )}
    </Stack>
  );
}

/** Who renews what: a bar of three parts and its words. */
export function Readiness({ of }: { of: Schema<'MigrationReadiness'> }) {
  const all = of.automatic + of.person + of.pinned;
  const parts = [
    { key: 'automatic', count: of.automatic, color: 'pine', words: 'renew by themselves' },
    { key: 'person', count: of.person, color: 'yellow', words: 'need somebody' },
    { key: 'pinned', count: of.pinned, color: 'red', words: 'are pinned: somebody relies on them by heart' },
  ];
  return (
    <div>
      <Progress.Root size="lg" mb="xs">
        {parts.map(({ key, count, color }) => count > 0 && <Progress.Section key={key} value={(100 * count) / all} color={color} aria-label={`${count} ${key}`} />)}
      </Progress.Root>
      <ul className={css.plain}>
        <li><strong className="num">{plural(all, 'certificate')}</strong> to move</li>
        {parts.map(({ key, count, color, words }) => <li key={key}><span className={css.key} data-color={color} /><span className="num">{count.toLocaleString('en')}</span> {words}</li>)}
      </ul>
    </div>
  );
}
