import { Button, Group, Stepper } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { meQuery } from '../../api/session';
import { MetadataForm } from '../../components/MetadataForm';
import { Page, Panel } from '../../components/Page';
import { ErrorNote } from '../../components/States';
import { born } from '../../lib/csr';
import { kindOf } from '../../lib/names';
import { NamesStep } from './NamesStep';
import { ProfileStep } from './ProfileStep';
import { ReviewStep } from './ReviewStep';
import { bornFor, csrOf, EMPTY, namesOf, problem, type Draft } from './draft';

/** From a wish to a request: each step says what is missing before the next. */
export function Wizard() {
  const navigate = useNavigate();
  const [step, setStep] = useState(0);
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [onceKey] = useState(() => crypto.randomUUID());
  const change = (parts: Partial<Draft>) => setDraft((now) => ({ ...now, ...parts }));
  const { data: me } = useQuery(meQuery);
  const teams = [...new Set(me?.roles.flatMap(({ team }) => team ?? []))];
  const fault = problem(draft, step);

  const make = useMutation({
    mutationFn: () => born(namesOf(draft), draft.browserAlgorithm),
    onSuccess: (made) => {
      change({ born: { ...made, names: namesOf(draft).join(' '), algorithm: draft.browserAlgorithm, isSaved: false } });
      setStep(2);
    },
  });
  const submit = useMutation({
    mutationFn: () => {
      const body: Schema<'Enroll'> = {
        profile: draft.profile ?? '',
        metadata: Object.fromEntries(Object.entries(draft.metadata).filter(([, value]) => value)) as never,
        team: draft.team ?? undefined,
        ...(draft.validityDays ? { validity_seconds: draft.validityDays * 86_400 } : {}),
        ...(draft.source === 'server'
          ? { key: { algorithm: draft.serverAlgorithm as never }, identifiers: namesOf(draft).map((value) => ({ type: kindOf(value), value })) as never }
          : { csr: csrOf(draft) }),
      };
      return call(api.POST('/api/v1/enrollments', { body, params: { header: { 'Idempotency-Key': onceKey } } }));
    },
    onSuccess: ({ id }) => navigate({ to: '/requests/$id', params: { id } }),
  });
  const next = () => {
    // A key that fits is kept: whoever has saved it has saved what is certified.
    if (step === 1 && draft.source === 'browser' && !bornFor(draft)) make.mutate();
    else setStep(step + 1);
  };

  return (
    <Page title="Request a certificate" above={{ label: 'Requests', to: '/requests' }} lead="Nothing is asked before the last step.">
      <Stepper active={step} onStepClick={(to) => to < step && setStep(to)} size="sm" allowNextStepsSelect={false}>
        <Stepper.Step label="Profile" description="what for" />
        <Stepper.Step label="Names and key" description="or a CSR" />
        <Stepper.Step label="Metadata" description="who and why" />
        <Stepper.Step label="Decision" description="what would happen" />
      </Stepper>
      <Panel>
        {step === 0 && <ProfileStep draft={draft} onChange={change} teams={teams} />}
        {step === 1 && <NamesStep draft={draft} onChange={change} />}
        {step === 2 && (
          <div style={{ display: 'grid', gap: 16, maxWidth: 560 }}>
            <MetadataForm values={draft.metadata} onChange={(metadata) => change({ metadata })} profile={draft.profile ?? undefined} required={draft.required} />
          </div>
        )}
        {step === 3 && <ReviewStep draft={draft} onSaved={() => change({ born: draft.born && { ...draft.born, isSaved: true } })} />}
        {make.error && <ErrorNote error={make.error} />}
        {submit.error && <div style={{ marginTop: 16 }}><ErrorNote error={submit.error} /></div>}
        <Group mt="lg" justify="space-between">
          <Button variant="default" disabled={step === 0} onClick={() => setStep(step - 1)}>Back</Button>
          <Group gap="sm">
            {fault && <span className="muted" role="status">{fault}</span>}
            {step < 3 ? (
              <Button disabled={Boolean(fault)} loading={make.isPending} onClick={next}>Next</Button>
            ) : (
              <Button disabled={Boolean(fault)} loading={submit.isPending} onClick={() => submit.mutate()}>Submit the request</Button>
            )}
          </Group>
        </Group>
      </Panel>
    </Page>
  );
}
