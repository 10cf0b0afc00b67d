import type { paths } from '../../api/schema';

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

/** The filters as chips: what is set, and how it reads. */
export function chips(search: Search): { name: string; text: string }[] {
  return Object.entries(filterOf(search) as Search)
    .filter(([name, value]) => value !== undefined && name !== 'q')
    .map(([name, value]) => ({ name, text: chipText(name, value ?? '') }));
}

function chipText(name: string, value: string): string {
  switch (name) {
    case 'expires_within':
      return `ends within ${value}`;
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
      return `${name.replace('metadata.', '').replaceAll('_', ' ')}: ${value}`;
  }
}
