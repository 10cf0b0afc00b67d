import { Checkbox, MultiSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, call, type Schema } from '../../api/client';
import { visible } from '../../lib/names';

type Approver = Schema<'Approver'>;

interface ApproversInputProps {
  label: string;
  value: readonly Approver[];
  onChange: (value: Approver[]) => void;
}

/** Roles and people, by name. */
export function ApproversInput({ label, value, onChange }: ApproversInputProps) {
  const { data: roles } = useQuery({ queryKey: ['roles'], queryFn: () => call(api.GET('/api/v1/roles')), retry: false });
  const { data: users } = useQuery({ queryKey: ['users', 'all'], queryFn: () => call(api.GET('/api/v1/users', { params: { query: { limit: 500 } } })), retry: false });
  const keyOf = (of: Approver) => (of.kind === 'role' ? `role ${of.role}` : `named ${of.principal}`);
  const known = new Map<string, string>([
    ...(roles?.items ?? []).map(({ name }) => [`role ${name}`, name] as const),
    ...(users?.items ?? []).map((user) => [`named ${user.id}`, visible(user.display_name || user.name)] as const),
  ]);
  // What is written stays to be seen, whether it is known here or not.
  for (const each of value) if (!known.has(keyOf(each))) known.set(keyOf(each), each.kind === 'role' ? each.role : each.principal);
  const ofKind = (kind: string) => [...known].filter(([key]) => key.startsWith(kind)).map(([key, name]) => ({ value: key, label: name }));
  const isEverywhere = value.some((each) => each.kind === 'role' && each.scope === 'everywhere');
  const make = (key: string): Approver => {
    const kept = value.find((each) => keyOf(each) === key);
    const [kind, name = ''] = key.split(/ (.*)/);
    return kept ?? (kind === 'role' ? { kind: 'role', role: name, scope: isEverywhere ? 'everywhere' : 'owner-team' } : { kind: 'named', principal: name });
  };
  const setScope = (everywhere: boolean) => onChange(value.map((each) => (each.kind === 'role' ? { ...each, scope: everywhere ? 'everywhere' : 'owner-team' } : each)));
  return (
    <div style={{ flex: 1, minWidth: 220 }}>
      <MultiSelect label={label} required searchable data={[{ group: 'Roles', items: ofKind('role') }, { group: 'People', items: ofKind('named') }]} value={value.map(keyOf)} onChange={(keys) => onChange(keys.map(make))} />
      {value.some(({ kind }) => kind === 'role') && <Checkbox mt={6} size="xs" label="Held everywhere, not only in the owner’s team" checked={isEverywhere} onChange={(event) => setScope(event.currentTarget.checked)} />}
    </div>
  );
}
