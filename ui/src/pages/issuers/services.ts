import type { Schema } from '../../api/client';
import type { Tone } from '../../components/Status';
import { duration, plural } from '../../lib/time';

type Issuer = Schema<'Issuer'>;

/** What a CA does beside signing, and how that stands. */
export interface Service {
  name: 'CRL' | 'OCSP' | 'Backlog';
  tone: Tone;
  /** In a word or two. */
  state: string;
  /** What belongs to it: a number, how much. */
  note?: string;
  /** Until when it may be relied on. */
  until?: string;
  since?: string;
  /** What else is known, where there is room for it. */
  more?: string;
  url?: string;
  /** What is wrong, and what to do. */
  problem?: string;
}

/** CRL, OCSP and backlog: of a CA here as it publishes them, of one elsewhere as they were found. */
export function services(issuer: Issuer): Service[] {
  if (issuer.state === 'awaiting-certificate') return [];
  return [...(issuer.crl ? own(issuer.name, issuer.crl, issuer.ocsp) : published(issuer)), backlog(issuer)];
}

function own(name: string, crl: Schema<'Crl'>, ocsp: Schema<'Ocsp'> | null | undefined): Service[] {
  const isStale = Date.parse(crl.next_update) < Date.now();
  const path = `/pki/${encodeURIComponent(name)}`;
  return [
    { name: 'CRL', tone: isStale ? 'bad' : 'ok', state: isStale ? 'Out of date' : 'In date', note: `number ${crl.number}`, until: crl.next_update, url: `${path}/crl` },
    responder(ocsp, `${path}/ocsp`),
  ];
}

/** Nobody has tried it from outside, so it is not praised: what is known is what it answers with. */
function responder(ocsp: Schema<'Ocsp'> | null | undefined, url: string): Service {
  const common = { name: 'OCSP', tone: 'info', state: 'Served here', url } as const;
  if (!ocsp) return common;
  const signer = ocsp.responder_not_after;
  return {
    ...common,
    note: `answers good for ${duration(ocsp.answers_live_seconds)}`,
    more: signer ? 'Signed with a certificate of its own, which is renewed by itself before its end' : 'Nobody has asked yet: the first question makes the certificate that answers are signed with',
    until: signer ?? undefined,
  };
}

function published({ health }: Issuer): Service[] {
  return (['CRL', 'OCSP'] as const).flatMap((name): Service[] => {
    if (!health) return [{ name, tone: 'off', state: 'Not looked at yet' }];
    const places = health.published?.filter(({ kind }) => kind === name.toLowerCase()) ?? [];
    return places.length ? places.map((place) => found(name, place)) : [{ name, tone: 'off', state: 'None named', note: 'by its certificates' }];
  });
}

function found(name: 'CRL' | 'OCSP', { url, number, fresh_until, problem, unreached_since }: Schema<'IssuerPublished'>): Service {
  const common = { name, url, until: fresh_until ?? undefined, note: number ? `number ${number}` : undefined };
  if (unreached_since) return { ...common, tone: 'bad', state: 'Not reached', since: unreached_since, problem: problem ?? undefined };
  if (problem) return { ...common, tone: 'bad', state: 'Out of order', problem };
  return { ...common, tone: 'ok', state: name === 'CRL' ? 'In date' : 'Answers' };
}

function backlog({ kind, health }: Issuer): Service {
  if (kind === 'embedded') return { name: 'Backlog', tone: 'ok', state: 'None', note: 'it signs at once' };
  if (!health) return { name: 'Backlog', tone: 'off', state: 'Not looked at yet' };
  const waiting = health.backlog;
  if (!waiting) return { name: 'Backlog', tone: 'ok', state: 'None' };
  const parts = [...(waiting.unanswered ? [`${waiting.unanswered.toLocaleString('en')} unanswered`] : []), ...(waiting.pending ? [`${waiting.pending.toLocaleString('en')} undecided there`] : [])];
  return { name: 'Backlog', tone: 'wait', state: plural(waiting.unanswered + waiting.pending, 'request'), note: parts.join(', '), since: waiting.oldest };
}
