import type { paths } from '../../api/schema';
import { keyKind } from '../../lib/words';

export type Query = NonNullable<paths['/api/v1/certificates']['get']['parameters']['query']>;
type Search = Record<string, string | undefined>;

/** Parameters of the list that may stand in the address. */
const FILTERS = [
  'q', 'name', 'suffix', 'name_contains', 'serial', 'fingerprint', 'issuer', 'profile', 'team', 'account', 'status', 'origin',
  'key_kind', 'weak_key', 'owned', 'replaced', 'expires_within', 'expires_before', 'expires_after', 'created_before', 'created_after',
] as const;

/** The address as filters of the API. What the server does not understand it says by itself. */
export function filterOf(search: Search): Query {
  const filter: Search = {};
  for (const name of FILTERS) if (search[name]) filter[name] = search[name];
  for (const [name, value] of Object.entries(search)) if (name.startsWith('metadata.')) filter[name] = value;
  return filter as Query;
}

/** The same in the body of a request, where `true` is not a text. */
export function filterBody(search: Search): Record<string, unknown> {
  const { weak_key, replaced, owned, ...rest } = filterOf(search) as Search;
  const metadata: Record<string, string> = {};
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith('metadata.') && value) metadata[name.slice('metadata.'.length)] = value;
    else body[name] = value;
  }
  if (weak_key) body.weak_key = weak_key === 'true';
  if (replaced) body.replaced = replaced === 'true';
  if (owned) body.owned = owned === 'true';
  if (Object.keys(metadata).length) body.metadata = metadata;
  return body;
}

const FIELDS: Record<string, string> = { status: 'state', team: 'owner', key_kind: 'key' };
const SPANS: Record<string, string> = { '7d': '7 days', '30d': '30 days', '90d': '90 days', '1y': 'a year' };

/** A value of a filter as a person would say it. */
export function valueText(name: string, value: string): string {
  switch (name) {
    case 'status':
    case 'origin':
      return value.replaceAll('-', ' ');
    case 'expires_within':
      return SPANS[value] ?? value;
    case 'key_kind':
      return keyKind(value);
    case 'replaced':
      return value === 'true' ? 'by another' : 'not yet';
    default:
      return value;
  }
}

/** The filters as chips: what is set, and how it reads. */
export function chips(search: Search): { name: string; text: string }[] {
  return Object.entries(filterOf(search) as Search)
    .filter(([name, value]) => value !== undefined && name !== 'q')
    .map(([name, value]) => ({ name, text: chipText(name, value ?? '') }));
}

function chipText(name: string, value: string): string {
  switch (name) {
    case 'expires_within':
      return `ends within ${valueText(name, value)}`;
    case 'expires_after':
      return `ends after ${value.slice(0, 10)}`;
    case 'expires_before':
      return `ends before ${value.slice(0, 10)}`;
    case 'weak_key':
      return value === 'true' ? 'weak key' : 'sound key';
    case 'owned':
      return value === 'true' ? 'has an owner' : 'without an owner';
    case 'replaced':
      return value === 'true' ? 'replaced' : 'not replaced';
    default:
      return `${FIELDS[name] ?? name.replace('metadata.', '').replaceAll('_', ' ')}: ${valueText(name, value)}`;
  }
}
