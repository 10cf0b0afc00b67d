import { queryOptions } from '@tanstack/react-query';
import { api, call } from '../../api/client';

export const kindsQuery = queryOptions({
  queryKey: ['issuers', 'kinds'],
  queryFn: () => call(api.GET('/api/v1/issuer-kinds')),
  staleTime: 600_000,
});

export const migrationsQuery = queryOptions({
  queryKey: ['issuers', 'migrations'],
  queryFn: () => call(api.GET('/api/v1/issuer-migrations', { params: { query: { limit: 50 } } })),
});

export const migrationQuery = (id: string) =>
  queryOptions({
    queryKey: ['issuers', 'migrations', id],
    queryFn: () => call(api.GET('/api/v1/issuer-migrations/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (/^(running|rolling-back)$/.test(state.data?.state ?? '') ? 2_000 : 30_000),
  });
