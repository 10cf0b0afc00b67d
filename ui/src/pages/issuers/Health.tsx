import { Button, Group, Modal, NumberInput, Progress, Stack } from '@mantine/core';
import { IconGauge, IconListSearch } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Facts } from '../../components/Page';
import { ErrorNote } from '../../components/States';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import { plural } from '../../lib/time';
import { Findings } from './Connection';
import { IssuerState } from './IssuerState';
import css from './issuers.module.css';

type Issuer = Schema<'Issuer'>;

const BREAKER = { closed: 'Takes requests', open: 'Left alone', 'half-open': 'Being tried again' } as const;

/** How much of each limit is used, as bars. */
export function Usage({ of }: { of: readonly Schema<'IssuerUsage'>[] }) {
  return of.map(({ period, used, limit, resets_at }) => {
    const part = limit ? Math.min(100, (100 * used) / limit) : 100;
    return (
      <div key={period} className={css.usage} title={`Counted anew ${new Date(resets_at).toLocaleString('en-GB')}`}>
        <span>This {period}</span>
        <Progress value={part} color={part >= 100 ? 'red' : part >= 80 ? 'yellow' : 'pine'} aria-label={`${used} of ${limit} this ${period}`} />
        <span className="num">{used.toLocaleString('en')} of {limit.toLocaleString('en')}</span>
      </div>
    );
  });
}

/** How a CA does, as seen from here: health, breaker, share, limits. */
export function Health({ issuer }: { issuer: Issuer }) {
  const may = useMay();
  const [limiting, setLimiting] = useState(false);
  const { live, health, sync, name } = issuer;
  const look = useMutation({ mutationFn: () => call(api.POST('/api/v1/issuers/{name}/sync', { params: { path: { name } } })) });
  const canList = issuer.kind !== 'embedded';
  return (
    <Stack gap="sm">
      <Facts
        rows={[
          ['Now', <IssuerState issuer={issuer} />],
          ['Health', health && <>{health.healthy ? 'Well' : 'Not well'} since <When at={health.since} />; looked at <When at={health.checked_at} /></>],
          ['Breaker', live && <>{BREAKER[live.breaker as keyof typeof BREAKER] ?? live.breaker}{live.rests_until && <> until <When at={live.rests_until} /></>}{live.failures_in_a_row > 0 && <span className="muted"> · {plural(live.failures_in_a_row, 'failure')} in a row</span>}</>],
          ['Last hour', live && <span className="num">{plural(live.asked, 'request')}, {live.answered.toLocaleString('en')} answered, {live.failed.toLocaleString('en')} failed; {Math.round(100 * live.share)} % of all</span>],
          ['Last error', live?.last_error && <span className="wrap">{visible(live.last_error)} {live.last_error_at && <span className="muted"><When at={live.last_error_at} /></span>}</span>],
          ['Its own list', sync && <span className="wrap">{sync.listed.toLocaleString('en')} there, {sync.discovered.toLocaleString('en')} new here, {sync.revoked.toLocaleString('en')} revoked there{sync.error ? `; ${visible(sync.error)}` : ''} <span className="muted"><When at={sync.at} /></span></span>],
        ]}
      />
      {health && health.findings.length > 0 && <Findings of={health.findings} />}
      {live?.usage?.length ? <Usage of={live.usage} /> : <p className="muted" style={{ margin: 0 }}>Nothing limits how much it may sign.</p>}
      {look.error && <ErrorNote error={look.error} />}
      <Group gap="xs">
        {may('issuers:administer') && !issuer.is_root && <Button variant="default" leftSection={<IconGauge size={16} />} onClick={() => setLimiting(true)}>Limits</Button>}
        {may('issuers:operate') && canList && <Button variant="default" leftSection={<IconListSearch size={16} />} loading={look.isPending} onClick={() => look.mutate()}>Look through its list</Button>}
      </Group>
      {limiting && <Limits issuer={issuer} onClose={() => setLimiting(false)} />}
    </Stack>
  );
}

const PERIODS = ['hour', 'day', 'month'] as const;

function Limits({ issuer, onClose }: { issuer: Issuer; onClose: () => void }) {
  const before = issuer.limits ?? {};
  const [values, setValues] = useState<Record<string, number | string>>(Object.fromEntries(PERIODS.map((period) => [period, before[`per_${period}`] ?? ''])));
  const save = useMutation({
    mutationFn: () => {
      const given = PERIODS.flatMap((period) => (typeof values[period] === 'number' ? [[`per_${period}`, values[period]]] : []));
      return call(api.PUT('/api/v1/issuers/{name}/limits', { params: { path: { name: issuer.name } }, body: Object.fromEntries(given) }));
    },
    onSuccess: onClose,
  });
  return (
    <Modal opened onClose={onClose} title={`How much ${issuer.name} may sign`}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          <p className="muted" style={{ margin: 0 }}>In hours, days and months of UTC. What is over goes to the other issuers of a profile, or waits.</p>
          {PERIODS.map((period) => (
            <NumberInput key={period} label={`Certificates a ${period}`} placeholder="Any number" min={0} allowDecimal={false} thousandSeparator="," value={values[period]} onChange={(next) => setValues((now) => ({ ...now, [period]: next }))} />
          ))}
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}
