import { useQuery } from '@tanstack/react-query';
import { api, call, type Schema } from '../api/client';
import { useMay } from '../api/session';
import { visible } from '../lib/names';

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

/** A user or token by name; the id is at hand. */
export function Who({ id }: { id: string }) {
  const name = useNames();
  return (
    <span className="wrap" title={id}>
      {visible(name(id))}
    </span>
  );
}

/** Who asked for something. */
export function Requester({ of }: { of: Schema<'Requester'> }) {
  switch (of.kind) {
    case 'user':
      return <Who id={of.user} />;
    case 'token':
      return (
        <>
          <Who id={of.token} /> <span className="muted">by token</span>
        </>
      );
    case 'acme-account':
      return <>ACME account {of.account}</>;
    default:
      return <>this server</>;
  }
}
