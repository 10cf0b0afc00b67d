import { useQuery } from '@tanstack/react-query';
import { api, call, type Schema } from '../api/client';
import { useMay } from '../api/session';
import { visible } from '../lib/names';
import type { People } from '../lib/words';

/** Names of users and tokens by their ids, as far as one may see them. */
export function useNames(): (id: string) => string {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ['names'],
    queryFn: async () => {
      const query = { params: { query: { limit: 500 } } };
      const [users, tokens] = await Promise.all([call(api.GET('/api/v1/users', query)), call(api.GET('/api/v1/tokens', query))]);
      return new Map([
        ...users.items.map(({ id, name, display_name }) => [id, display_name || name] as const),
        ...tokens.items.map(({ id, name }) => [id, name] as const),
      ]);
    },
    enabled: may('access:read'),
    staleTime: 60_000,
    retry: false,
  });
  return (id) => data?.get(id) ?? id;
}

/** A user or token by name, where the answer tells it or one may know it anyway; the id is at hand. */
export function Who({ id, people }: { id: string; people?: People }) {
  const known = useNames();
  const name = people?.[id] ?? known(id);
  return (
    <span className="wrap" title={id}>
      {name === id ? short(id) : visible(name)}
    </span>
  );
}

/** Enough of an id to tell two apart. */
const short = (id: string): string => (/^[a-z]{3}_/.test(id) ? `${id.slice(0, 4)}…${id.slice(-6)}` : id);

/** Who asked for something. */
export function Requester({ of, people }: { of: Schema<'Requester'>; people: People }) {
  switch (of.kind) {
    case 'user':
      return <Who id={of.user} people={people} />;
    case 'token':
      return (
        <>
          <Who id={of.token} people={people} /> <span className="muted">by token</span>
        </>
      );
    case 'acme-account':
      return <>ACME account <span title={of.account}>{short(of.account)}</span> <span className="muted">at {of.directory}</span></>;
    case 'client':
      return <>a client <span className="muted" title={of.entry_point}>at {short(of.entry_point)}</span></>;
    case 'system':
      return <>this server</>;
  }
}
