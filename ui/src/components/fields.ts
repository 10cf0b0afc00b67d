import { useQuery } from '@tanstack/react-query';
import { api, call } from '../api/client';
import { useMay } from '../api/session';

/** What fields of custom metadata are called, as far as one may see them; else their names. */
export function useFieldLabels(): (name: string) => string {
  const may = useMay();
  const { data } = useQuery({ queryKey: ['policy', 'fields'], queryFn: () => call(api.GET('/api/v1/metadata-fields')), enabled: may('policy:read'), retry: false });
  const labels = new Map(data?.items.map(({ name, rules }) => [name, rules.label || name]));
  return (name) => labels.get(name) ?? name;
}
