import type { Schema } from '../../api/client';
import type { Tone } from '../../components/Status';
import { daysUntil } from '../../lib/time';

/** How a CA that signs is, in a word, the gravest first. */
export function condition({ live, health, crl, certificate }: Schema<'Issuer'>): [Tone, string] {
  if (live?.breaker === 'open') return ['bad', 'Does not answer'];
  if (live?.breaker === 'half-open') return ['bad', 'Being tried again'];
  if (health && !health.healthy) return ['bad', 'Unwell'];
  if (crl && Date.parse(crl.next_update) < Date.now()) return ['bad', 'CRL out of date'];
  if (certificate && daysUntil(certificate.not_after) < 90) return ['warn', 'CA ends soon'];
  if (live?.usage?.some(({ used, limit }) => used >= limit)) return ['warn', 'Limit reached'];
  if (health?.findings.some(({ outcome }) => outcome === 'warning')) return ['warn', 'Not for long'];
  return ['ok', 'Healthy'];
}
