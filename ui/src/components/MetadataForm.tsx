import { NumberInput, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, call } from '../api/client';

export type Values = Record<string, string>;

interface MetadataFormProps {
  values: Values;
  onChange: (values: Values) => void;
  /** Every field, or only those that a profile asks for. */
  all?: boolean;
  required?: readonly string[];
  profile?: string;
}

/** One input for each field of custom metadata, of the kind that the field is. */
export function MetadataForm({ values, onChange, required = [], profile }: MetadataFormProps) {
  const { data } = useQuery({ queryKey: ['policy', 'fields'], queryFn: () => call(api.GET('/api/v1/metadata-fields')), retry: false });
  const fields = (data?.items ?? []).filter(({ status, rules }) => status === 'active' && !rules.template && (!profile || !rules.applies?.profiles?.length || rules.applies.profiles.includes(profile)));
  const set = (name: string, value: string) => onChange({ ...values, [name]: value });
  if (data && fields.length === 0) return <p className="muted" style={{ margin: 0 }}>No fields are defined. Under Policy one can say what is to be known of every certificate.</p>;
  return fields.map(({ name, rules }) => {
    const common = {
      label: rules.label || name,
      description: rules.description || undefined,
      required: Boolean(rules.required) || required.includes(name),
    };
    const value = values[name] ?? '';
    switch (rules.kind) {
      case 'choice':
        return <Select key={name} {...common} clearable data={[...(rules.choices ?? [])]} value={value || null} onChange={(next) => set(name, next ?? '')} />;
      case 'boolean':
        return <Select key={name} {...common} clearable data={['true', 'false']} value={value || null} onChange={(next) => set(name, next ?? '')} />;
      case 'number':
        return <NumberInput key={name} {...common} value={value === '' ? '' : Number(value)} onChange={(next) => set(name, String(next))} />;
      case 'date':
        return <TextInput key={name} {...common} type="date" value={value} onChange={(event) => set(name, event.currentTarget.value)} />;
      default:
        return <TextInput key={name} {...common} value={value} onChange={(event) => set(name, event.currentTarget.value)} />;
    }
  });
}
