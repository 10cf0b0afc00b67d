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

/** What was chosen of some values, kept in the address; the first of them is the one without. */
export function useChoice<T extends string>(name: string, values: readonly T[]): [T, (next: string) => void] {
  const [search, change] = useAddress();
  const chosen = values.find((value) => value === search[name]) ?? values[0];
  return [chosen as T, (next) => change({ [name]: next === values[0] ? undefined : next })];
}
