import type { ReactNode } from 'react';
import type { Schema } from '../../api/client';
import { CertificateState, Status } from '../../components/Status';
import { Names, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { localDate } from '../../lib/time';
import { keyKind } from '../../lib/words';

type Certificate = Schema<'Certificate'>;

export interface Column {
  key: string;
  label: string;
  width: string;
  sort?: string;
  cell: (certificate: Certificate) => ReactNode;
}

const plain = (text: string | null | undefined) => <span className="clip">{text ? visible(text) : <span className="muted">–</span>}</span>;

export const COLUMNS: Column[] = [
  { key: 'names', label: 'Names', width: 'minmax(13.75rem, 2fr)', sort: 'name', cell: (c) => <span className="clip"><Names of={c.names} fallback={c.subject} /></span> },
  { key: 'status', label: 'State', width: '7rem', cell: (c) => <CertificateState certificate={c} /> },
  {
    key: 'ends', label: 'Ends', width: '12.25rem', sort: 'not_after',
    cell: (c) => <span className="num clip">{localDate(new Date(c.not_after))} <span className="muted">· <When at={c.not_after} /></span></span>,
  },
  { key: 'issuer', label: 'Issuer', width: 'minmax(7.5rem, 1fr)', cell: (c) => plain(c.issuer ?? c.issuer_name.replace(/^CN=/, '')) },
  { key: 'profile', label: 'Profile', width: 'minmax(7.25rem, 0.9fr)', cell: (c) => plain(c.profile) },
  { key: 'team', label: 'Owner', width: 'minmax(6rem, 0.8fr)', cell: (c) => plain(c.team) },
  { key: 'key', label: 'Key', width: '7.5rem', cell: (c) => (c.weak_key ? <Status tone="warn">{keyKind(c.key_kind)}</Status> : plain(keyKind(c.key_kind))) },
  { key: 'origin', label: 'Origin', width: '6.5rem', cell: (c) => plain(c.origin) },
  { key: 'created', label: 'Known since', width: '8.25rem', sort: 'created', cell: (c) => <When at={c.created_at} /> },
  { key: 'serial', label: 'Serial', width: 'minmax(10rem, 1fr)', cell: (c) => <span className="mono clip">{c.serial}</span> },
  { key: 'metadata', label: 'Metadata', width: 'minmax(10rem, 1fr)', cell: (c) => plain(Object.entries(c.metadata ?? {}).map(([name, value]) => `${name}: ${String(value)}`).join(', ')) },
];

const USUAL = ['names', 'status', 'ends', 'issuer', 'profile', 'team', 'key'];

/** The columns that the address names. */
export function columnsOf(text: string | undefined): Column[] {
  const keys = text ? text.split(',') : USUAL;
  return COLUMNS.filter(({ key }) => key === 'names' || keys.includes(key));
}
