import { queryOptions, useQuery } from '@tanstack/react-query';
import { ApiError, api, call, setCsrfToken, type Schema } from './client';

export type Session = Schema<'CurrentSession'>;
export type Me = Schema<'Me'>;

/** Who is signed in; `null` for nobody. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Session | null> => {
    try {
      const session = await call(api.GET('/api/v1/session'));
      setCsrfToken(session.csrf_token);
      return session;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: () => call(api.GET('/api/v1/me')),
  staleTime: 60_000,
});

/** What the person may do; used to show what makes sense. The server decides by itself. */
export function useMay(): (permission: string) => boolean {
  const { data } = useQuery(meQuery);
  return (permission) => data?.permissions.some((held) => held.permission === permission) ?? false;
}
