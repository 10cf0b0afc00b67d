import { Button, Slider, Stack } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, callTagged, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import css from './issuers.module.css';

type Choice = Schema<'IssuerChoice'>;

/** How much of each profile's requests goes to which issuer. */
export function Weights({ issuer }: { issuer: string }) {
  const query = useQuery({ queryKey: ['policy', 'profiles'], queryFn: () => call(api.GET('/api/v1/profiles')) });
  return (
    <Loaded query={query} rows={2}>
      {(page) => {
        const profiles = page.items.filter(({ rules }) => rules.issuers.some((choice) => choice.issuer === issuer));
        if (profiles.length === 0) return <Empty title="No profile sends it anything" action={<Button component={Link} to="/policy/profiles" variant="default">To the profiles</Button>}>Add it to the issuers of a profile, and it takes its part.</Empty>;
        return <Stack gap="lg">{profiles.map((profile) => <OfProfile key={profile.name} profile={profile} />)}</Stack>;
      }}
    </Loaded>
  );
}

const total = (choices: readonly Choice[]) => Math.max(1, choices.reduce((sum, { weight }) => sum + weight, 0));

function OfProfile({ profile }: { profile: Schema<'Profile'> }) {
  const may = useMay();
  const before = profile.rules.issuers;
  const [draft, setDraft] = useState<Choice[] | null>(null);
  const choices = draft ?? before;
  const path = { path: { name: profile.name } };
  const save = useMutation({
    mutationFn: async () => {
      const { value, etag } = await callTagged(api.GET('/api/v1/profiles/{name}', { params: path }));
      return call(api.PUT('/api/v1/profiles/{name}', { params: { ...path, header: { 'If-Match': etag } }, body: { ...value.rules, issuers: [...choices] } }));
    },
    onSuccess: () => setDraft(null),
  });
  const set = (issuer: string, weight: number) => setDraft(choices.map((choice) => (choice.issuer === issuer ? { ...choice, weight } : choice)));
  return (
    <div className={css.weights}>
      <strong>{profile.name}</strong>
      {save.error && <ErrorNote error={save.error} />}
      {choices.map((choice) => (
        <div key={choice.issuer} className={css.weight}>
          <span className="clip">{choice.issuer}</span>
          {choices.length > 1 ? (
            <Slider min={0} max={Math.max(100, ...before.map(({ weight }) => weight))} disabled={!may('policy:write')} thumbLabel={`Weight of ${choice.issuer}`} value={choice.weight} onChange={(weight) => set(choice.issuer, weight)} />
          ) : (
            <span className="muted">The only issuer of this profile: a second one, added in its source, takes a part.</span>
          )}
          <span className="num">{Math.round((100 * choice.weight) / total(choices))} %</span>
        </div>
      ))}
      <div className={css.share} aria-hidden>
        {choices.map((choice, index) => <span key={choice.issuer} data-series={index % 5} style={{ width: `${(100 * choice.weight) / total(choices)}%`, background: `var(--cw-series-${(index % 5) + 1})` }} />)}
      </div>
      {draft && (
        <div>
          <span className="muted">Of the next 1,000 requests: {choices.map((choice) => `${Math.round((1000 * choice.weight) / total(choices))} to ${choice.issuer}`).join(', ')}. </span>
          <Button size="xs" loading={save.isPending} onClick={() => save.mutate()}>Use these weights</Button>{' '}
          <Button size="xs" variant="default" onClick={() => setDraft(null)}>As before</Button>
        </div>
      )}
    </div>
  );
}
