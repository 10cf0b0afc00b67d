import { Button, Stack } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconCircleX, IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Facts } from '../../components/Page';
import { Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { When } from '../../components/Text';
import { save } from '../../lib/download';
import { visible } from '../../lib/names';
import type { People as Names } from '../../lib/words';
import { bornFor, csrOf, namesOf, type Draft } from './draft';
import css from './requests.module.css';

/** What the rules make of it and who would decide, before anything is asked. */
export function ReviewStep({ draft, onSaved }: { draft: Draft; onSaved: () => void }) {
  const may = useMay();
  const metadata = Object.fromEntries(Object.entries(draft.metadata).filter(([, value]) => value));
  const body: Schema<'ExplainRequest'> = {
    ...(draft.source === 'server' ? { names: namesOf(draft) } : { csr: csrOf(draft) }),
    metadata: metadata as never,
    team: draft.team ?? undefined,
    ...(draft.validityDays ? { validity_seconds: draft.validityDays * 86_400 } : {}),
  };
  const explain = useQuery({
    queryKey: ['policy', 'explain', draft.profile, body],
    queryFn: () => call(api.POST('/api/v1/profiles/{name}/explain', { params: { path: { name: draft.profile ?? '' } }, body })),
    enabled: may('policy:read'),
    retry: false,
  });
  const profile = useQuery({
    queryKey: ['policy', 'profile', draft.profile],
    queryFn: () => call(api.GET('/api/v1/profiles/{name}', { params: { path: { name: draft.profile ?? '' } } })),
    enabled: may('policy:read'),
  });
  const born = bornFor(draft);
  return (
    <Stack>
      {born && (
        <div>
          <Button variant={born.isSaved ? 'default' : 'filled'} leftSection={<IconDownload size={18} />} onClick={() => { save(new Blob([born.key], { type: 'application/x-pem-file' }), `${fileName(namesOf(draft)[0])}.key.pem`); onSaved(); }}>
            {born.isSaved ? 'Save the key again' : 'Save the private key'}
          </Button>
          <p className="muted" style={{ margin: '8px 0 0' }}>It was made in this page and is nowhere else. It is gone when you leave.</p>
        </div>
      )}
      {may('policy:read') ? (
        <Loaded query={explain} rows={4}>
          {(data) => (
            <>
              <People explanation={data} names={profile.data?.people} />
              <Explained explanation={data} />
            </>
          )}
        </Loaded>
      ) : (
        <p style={{ margin: 0 }}><Status tone="info">Not shown beforehand</Status> your roles do not reach into the rules; what they decide, and who has to agree, shows once you submit.</p>
      )}
    </Stack>
  );
}

const fileName = (name = 'certificate') => name.replace('*', 'wildcard').replaceAll(/[^\w.-]+/g, '_');

/** Whether people decide on this very request, and who; of what is refused nobody is asked. */
function People({ explanation, names }: { explanation: Schema<'Explanation'>; names: Names }) {
  const step = explanation.steps.find(({ rule }) => rule === 'approval');
  if (!step) return null;
  if (step.outcome === 'not-applicable') return <p style={{ margin: 0 }}><Status tone="ok">Nobody has to agree</Status> it is signed at once.</p>;
  const said = step.message.replaceAll(/\b(usr|tok)_[0-9a-z]{26}\b/g, (id) => names?.[id] ?? id);
  return <p className="wrap" style={{ margin: 0 }}><Status tone="wait">People decide</Status> {visible(said)}</p>;
}

const ICONS = { passed: IconCircleCheck, failed: IconCircleX, 'not-applicable': IconCircleDashed };

/** Rule by rule, with what would mend it; the certificate that would be. */
export function Explained({ explanation }: { explanation: Schema<'Explanation'> }) {
  const { certificate } = explanation;
  return (
    <>
      <p style={{ margin: 0 }}>
        <Status tone={explanation.verdict === 'approved' ? 'ok' : explanation.verdict === 'rejected' ? 'bad' : 'warn'}>
          {explanation.verdict === 'approved' ? 'The rules allow it' : explanation.verdict === 'rejected' ? 'The rules refuse it' : 'No issuer can sign now'}
        </Status>{' '}
        <span className="muted">{explanation.profile}, version {explanation.version}{explanation.issuer && <>, by {explanation.issuer}</>}</span>
      </p>
      <ul className={css.steps}>
        {explanation.steps.map((step, index) => {
          const StepIcon = ICONS[step.outcome];
          return (
            <li key={index} data-outcome={step.outcome}>
              <StepIcon size={18} aria-label={step.outcome} />
              <div className="wrap">
                {visible(step.message)} <span className="muted">{step.rule}{step.name && ` · ${visible(step.name)}`}</span>
                {step.fix && <div className="muted">{step.fix}</div>}
              </div>
            </li>
          );
        })}
      </ul>
      {certificate && (
        <Facts
          rows={[
            ['Subject', visible(certificate.subject) || 'empty'],
            ['Names', certificate.names.map(visible).join(', ')],
            ['Key', certificate.key],
            ['Valid until', <When at={certificate.not_after} full />],
            ['Usage', [...certificate.key_usage, ...certificate.extended_key_usage].join(', ')],
          ]}
        />
      )}
    </>
  );
}
