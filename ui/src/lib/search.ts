import { useNavigate, useSearch } from '@tanstack/react-router';

type Search = Record<string, string | undefined>;

/** The parameters in the address, and how to change some of them: every state has an address. */
export function useAddress(): [Search, (change: Search, push?: boolean) => void] {
  const search: Search = useSearch({ strict: false });
  const navigate = useNavigate();
  const change = (parts: Search, push = false) =>
    void navigate({ to: '.', search: (before: Search) => ({ ...before, ...parts }), replace: !push } as never);
  return [search, change];
}
