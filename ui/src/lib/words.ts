import type { Schema } from '../api/client';
import { visible } from './names';
import { localTime } from './time';

/** Names of people and programs by their ids, as answers carry them. */
export type People = Record<string, string> | undefined;

/** Who decides, in words. */
export function approver(of: Schema<'Approver'>, people: People): string {
  if (of.kind !== 'role') return visible(people?.[of.principal] ?? of.principal);
  return of.scope === 'everywhere' ? `any ${of.role}` : `any ${of.role} of its team`;
}

/** `p-256` as it is called where it is chosen. */
export function keyKind(kind: string): string {
  const [family = '', size] = kind.split('-');
  if (family === 'p' && size) return `ECDSA P-${size}`;
  if (family === 'rsa' && size) return `RSA ${size}`;
  return kind.startsWith('ed') ? `Ed${kind.slice(2)}` : kind;
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
  'issuer_migration.paused': 'Move paused',
  'issuer_migration.resumed': 'Move goes on',
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
  // Who knows an id by heart? What was done says more; people and programs have names.
  return /^(?!usr_|tok_)[a-z]+_[0-9a-z]{20,}$/.test(event.object) ? eventDetails(data) || event.object : event.object;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** `deadline_at` as a person would write it. */
export const spaced = (name: string): string => name.replaceAll(/[_-]/g, ' ');

/** A value of an event in words: objects of a kind begin with it. */
function said(value: unknown): string {
  if (Array.isArray(value)) return value.map(said).join(', ') || 'none';
  if (typeof value === 'string') return INSTANT.test(value) ? localTime(new Date(value)) : value;
  if (typeof value !== 'object' || value === null) return value === null ? 'none' : String(value);
  const { kind, ...rest } = value as Record<string, unknown>;
  const parts = Object.entries(rest)
    .filter(([, part]) => part !== null && part !== '')
    .map(([name, part]) => (name === kind ? said(part) : `${spaced(name)} ${said(part)}`));
  return [...(typeof kind === 'string' ? [spaced(kind)] : []), ...parts].join(' ');
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What an event tells; of a change only what changed. */
export function eventDetails(data: Record<string, unknown>): string {
  const { before, after, ...rest } = data;
  const facts = Object.entries(rest)
    .filter(([, value]) => value !== null && value !== '' && JSON.stringify(value) !== '{}' && JSON.stringify(value) !== '[]')
    .map(([name, value]) => `${spaced(name)}: ${said(value)}`);
  if (isObject(before) && isObject(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (JSON.stringify(before[name]) !== JSON.stringify(after[name])) facts.push(`${spaced(name)}: ${said(before[name] ?? null)} → ${said(after[name] ?? null)}`);
    }
  } else if (before !== undefined || after !== undefined) {
    facts.push(`${said(before ?? null)} → ${said(after ?? null)}`);
  }
  return facts.join(' · ');
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
