import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { suspicion } from '../../lib/names';
import { daysUntil } from '../../lib/time';
import { keyKind } from '../../lib/words';
import css from './certificate.module.css';

type Certificate = Schema<'Certificate'>;

interface Finding {
  what: string;
  fix: string;
}

/** What the profile, as it is today, would say about it: judged anew, nothing is issued. */
function useVerdict(certificate: Certificate) {
  const may = useMay();
  return useQuery({
    queryKey: ['policy', 'explain', certificate.id],
    queryFn: () =>
      call(
        api.POST('/api/v1/profiles/{name}/explain', {
          params: { path: { name: certificate.profile ?? '' } },
          body: { names: [...certificate.names], metadata: (certificate.metadata ?? {}) as never, team: certificate.team ?? null },
        }),
      ),
    enabled: Boolean(certificate.profile) && certificate.names.length > 0 && may('policy:read'),
    retry: false,
    staleTime: 60_000,
  });
}

function own(certificate: Certificate): Finding[] {
  const findings: Finding[] = [];
  const isOver = certificate.status === 'expired' || certificate.status === 'revoked';
  const days = daysUntil(certificate.not_after);
  if (certificate.weak_key) findings.push({ what: `The key (${keyKind(certificate.key_kind)}) can be broken.`, fix: 'Re-key it: a renewal with a stronger key takes its place.' });
  if (!certificate.team) findings.push({ what: 'No team answers for it.', fix: 'Transfer it to the team that runs the service.' });
  if (!isOver && days < 30 && !certificate.replaced_by) findings.push({ what: `It ends in ${Math.max(days, 0)} days, and nothing follows it.`, fix: 'Renew it, or find out why its client does not.' });
  const odd = certificate.names.map(suspicion).find(Boolean);
  if (odd) findings.push({ what: `A name deserves a second look. ${odd}`, fix: 'If nobody meant it so, revoke it and ask who requested it.' });
  return findings;
}

/** What is wrong with it, in words, and what mends it. */
export function Findings({ certificate }: { certificate: Certificate }) {
  const { data: verdict } = useVerdict(certificate);
  const broken = (verdict?.steps ?? []).filter((step) => step.outcome === 'failed' && !step.rule.includes('key'));
  const findings = [...own(certificate), ...broken.map((step) => ({ what: `Today’s rules of ${certificate.profile}: ${step.message}`, fix: step.fix ?? 'Ask whoever keeps the profile.' }))];
  if (findings.length === 0) {
    return (
      <section className={css.findings} aria-label="Findings">
        <Line icon={<IconCircleCheck size={18} />} tone="ok">
          <strong>Nothing to complain about.</strong>{' '}
          <span className="muted">{verdict ? `Today’s rules of ${certificate.profile} would allow it again.` : 'Key, names, end and owner are as they should be.'}</span>
        </Line>
      </section>
    );
  }
  return (
    <section className={css.findings} aria-label="Findings">
      {findings.map(({ what, fix }) => (
        <Line key={what} icon={<IconAlertTriangle size={18} />} tone="warn">
          <strong className="wrap">{what}</strong>
          <div className="muted wrap">{fix}</div>
        </Line>
      ))}
    </section>
  );
}

function Line({ icon, tone, children }: { icon: ReactNode; tone: string; children: ReactNode }) {
  return (
    <div className={css.finding} data-tone={tone}>
      {icon}
      <div>{children}</div>
    </div>
  );
}
