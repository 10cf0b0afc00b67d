import { IconAlertTriangle, IconCircleCheck, IconCircleDashed } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { suspicion } from '../../lib/names';
import { daysUntil, duration } from '../../lib/time';
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
          body: { names: [...certificate.names], metadata: (certificate.metadata ?? {}) as never, team: certificate.team ?? null, validity_seconds: lifetime(certificate) },
        }),
      ),
    enabled: Boolean(certificate.profile) && certificate.names.length > 0 && may('policy:read'),
    retry: false,
    staleTime: 60_000,
  });
}

/** Both instants are within it (RFC 5280 section 4.1.2.5). */
const lifetime = ({ not_before, not_after }: Certificate): number => Math.max(1, Math.round((Date.parse(not_after) - Date.parse(not_before)) / 1000) + 1);

/** What a rule says of a certificate of today, said of this one. */
function said(certificate: Certificate, step: Schema<'Step'>): Finding {
  const rules = `Today’s rules of ${certificate.profile}:`;
  if (step.rule === 'validity.not-after' || step.rule === 'validity.schedule') {
    return { what: `${rules} it is valid for longer than they allow (${duration(lifetime(certificate))}).`, fix: 'Renew it: what follows ends when the rules say so.' };
  }
  return { what: `${rules} ${step.message}`, fix: step.fix ?? 'Ask whoever keeps the profile.' };
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

/** What was asked of the rules and what came of it: silence is no consent. */
function useJudgement(certificate: Certificate, { data, error }: { data: unknown; error: Error | null }): string {
  const may = useMay();
  if (!certificate.profile) return 'No profile is known for it, so no rules were asked.';
  if (certificate.names.length === 0) return 'It has no names that the rules could be asked about.';
  if (!may('policy:read')) return 'The rules were not asked: your roles do not reach into them.';
  if (error) return `The rules could not be asked: ${error.message}`;
  return data ? `Today’s rules of ${certificate.profile} would allow it again.` : `Asking the rules of ${certificate.profile}…`;
}

/** What is wrong with it, in words, and what mends it. */
export function Findings({ certificate }: { certificate: Certificate }) {
  const query = useVerdict(certificate);
  const judgement = useJudgement(certificate, query);
  // The rules are asked about the names: they see a key of their own making, and what they say of it is not about this one.
  const broken = (query.data?.steps ?? []).filter((step) => step.outcome === 'failed' && !step.rule.startsWith('key.'));
  const findings = [...own(certificate), ...broken.map((step) => said(certificate, step))];
  if (findings.length === 0) {
    return (
      <section className={css.findings} aria-label="Findings">
        <Line icon={query.data ? <IconCircleCheck size={18} /> : <IconCircleDashed size={18} />} tone={query.data ? 'ok' : 'off'}>
          <strong>{query.data ? 'Nothing to complain about.' : 'Key, names, end and owner are as they should be.'}</strong> <span className="muted">{judgement}</span>
        </Line>
      </section>
    );
  }
  return (
    <section className={css.findings} aria-label="Findings">
      {!query.data && <Line icon={<IconCircleDashed size={18} />} tone="off"><span className="muted">{judgement}</span></Line>}
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
