import type { Schema } from '../api/client';

/** Who decides, in words. */
export function approver(of: Schema<'Approver'>): string {
  return of.kind === 'role' ? `${of.role}${of.scope === 'everywhere' ? ' (everywhere)' : ''}` : of.principal;
}

const VERBS: Record<string, string> = {
  'certificate.issued': 'Issued',
  'certificate.revoked': 'Revoked',
  'certificate.imported': 'Imported',
  'enrollment.requested': 'Requested',
  'enrollment.awaiting_approval': 'Waits for approval',
  'enrollment.rejected': 'Rejected',
  'enrollment.failed': 'Failed',
  'approval.approved': 'Approved',
  'approval.denied': 'Denied',
  'account.created': 'New ACME account',
  'crl.published': 'CRL published',
  'incident.opened': 'Alert',
  'issuer_migration.begun': 'Move begun',
  'issuer_migration.wave_begun': 'Wave begun',
  'issuer_migration.stopped': 'Move stopped',
  'issuer_migration.finished': 'Move finished',
  'issuer_migration.rolled_back': 'Move rolled back',
  'session.started': 'Signed in',
  'session.ended': 'Signed out',
};

/** `certificate.metadata_changed` as a person would say it. */
export function eventTitle(name: string): string {
  const known = VERBS[name];
  if (known) return known;
  const text = name.replaceAll(/[._]/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What an event is about, in a few words. */
export function eventSubject(event: Schema<'Event'>): string {
  const data = event.data as Record<string, unknown>;
  const names = data.names ?? data.identifiers;
  if (Array.isArray(names) && names.length) {
    const texts = names.map((name) => (typeof name === 'string' ? name : String((name as { value?: string }).value ?? '')));
    return texts.length > 1 ? `${texts[0]} +${texts.length - 1}` : (texts[0] ?? '');
  }
  if (typeof data.name === 'string') return data.name;
  return event.object;
}

/** The page about an object of this id. */
export function pageOf(object: string): string | undefined {
  if (object.startsWith('crt_')) return `/certificates/${object}`;
  if (object.startsWith('enr_')) return `/requests/${object}`;
  if (object.startsWith('apr_')) return `/approvals/${object}`;
  if (object.startsWith('ord_')) return `/orders/${object}`;
  if (object.startsWith('mig_')) return `/migrations/${object}`;
  if (object.startsWith('blk_')) return `/bulk/${object}`;
  return undefined;
}

export const REVOCATION_REASONS = [
  { value: 'unspecified', label: 'No particular reason' },
  { value: 'superseded', label: 'Superseded: another took its place' },
  { value: 'keyCompromise', label: 'Key compromise: blocks the key for ever' },
  { value: 'affiliationChanged', label: 'The subject belongs elsewhere now' },
  { value: 'cessationOfOperation', label: 'No longer in operation' },
  { value: 'privilegeWithdrawn', label: 'Privilege withdrawn' },
];
