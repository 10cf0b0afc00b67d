import { Checkbox, JsonInput, NumberInput, PasswordInput, SegmentedControl, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Schema } from '../../api/client';

export type Settings = Record<string, unknown>;

interface SettingsFormProps {
  /** What could be somebody's: it says which settings there are, and of what form. */
  example: Settings;
  value: Settings;
  onChange: (value: Settings) => void;
}

/** The settings of a CA elsewhere: one input for each, or all of them as source. */
export function SettingsForm({ example, value, onChange }: SettingsFormProps) {
  const [source, setSource] = useState<string | null>(null);
  const names = [...new Set([...Object.keys(example), ...Object.keys(value)])];
  const set = (name: string, next: unknown) => {
    onChange(next === undefined || next === '' ? without(value, name) : { ...value, [name]: next });
  };
  const write = (text: string) => {
    setSource(text);
    const parsed = parse(text);
    if (parsed) onChange(parsed);
  };
  return (
    <Stack>
      <SegmentedControl aria-label="Settings as" size="xs" style={{ alignSelf: 'flex-start' }} data={[{ value: 'form', label: 'Form' }, { value: 'source', label: 'Source' }]} value={source === null ? 'form' : 'source'} onChange={(next) => setSource(next === 'form' ? null : JSON.stringify(value, null, 2))} />
      {source !== null ? (
        <JsonInput label="Settings" autosize minRows={6} maxRows={20} validationError="This is no JSON yet" classNames={{ input: 'mono' }} value={source} onChange={write} />
      ) : (
        names.map((name) => <Setting key={name} name={name} shape={example[name] ?? value[name]} value={value[name]} onChange={(next) => set(name, next)} />)
      )}
    </Stack>
  );
}

function without<T>(values: Record<string, T>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== name));
}

function parse(text: string): Settings | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Settings) : undefined;
  } catch {
    return undefined;
  }
}

function Setting({ name, shape, value, onChange }: { name: string; shape: unknown; value: unknown; onChange: (next: unknown) => void }) {
  const [draft, setDraft] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const label = name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());
  if (typeof shape === 'boolean') return <Checkbox label={label} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
  if (typeof shape === 'number') return <NumberInput label={label} placeholder={String(shape)} value={typeof value === 'number' ? value : ''} onChange={(next) => onChange(next === '' ? undefined : Number(next))} />;
  if (Array.isArray(shape)) return <TagsInput label={label} placeholder={shape.join(', ')} value={Array.isArray(value) ? value.map(String) : []} onChange={(next) => onChange(next.length ? next : undefined)} />;
  if (typeof shape === 'object' && shape !== null) {
    const write = (text: string) => {
      setDraft(text);
      onChange(text.trim() ? (parse(text) ?? value) : undefined);
    };
    return <JsonInput label={label} placeholder={JSON.stringify(shape, null, 2)} autosize minRows={3} maxRows={12} validationError="This is no JSON yet" classNames={{ input: 'mono' }} value={draft} onChange={write} />;
  }
  const text = typeof value === 'string' ? value : '';
  if (String(shape).includes('\n')) return <Textarea label={label} placeholder="PEM" autosize minRows={3} maxRows={8} classNames={{ input: 'mono' }} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
  return <TextInput label={label} placeholder={String(shape)} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
}

interface SecretsFormProps {
  rules: readonly Schema<'IssuerSecretRule'>[];
  /** Whether it takes secrets of other names as well. */
  any?: boolean;
  /** Those that are there already: they stay where nothing is written. */
  known?: readonly string[];
  value: Record<string, string>;
  onChange: (value: Record<string, string>) => void;
}

/** Secrets go in and never come out. */
export function SecretsForm({ rules, any, known = [], value, onChange }: SecretsFormProps) {
  const [more, setMore] = useState<string[]>([]);
  const set = (name: string, text: string) => {
    onChange(text ? { ...value, [name]: text } : without(value, name));
  };
  const others = [...more, ...known].filter((name, index, all) => all.indexOf(name) === index && !rules.some((rule) => rule.name === name));
  return (
    <Stack>
      {any && <TagsInput label="Names of its secrets" description="What the program is given" value={more} onChange={setMore} />}
      {[...rules, ...others.map((name) => ({ name, summary: '', required: false }))].map((rule) => (
        <PasswordInput
          key={rule.name}
          label={rule.name.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase())}
          description={rule.summary || undefined}
          placeholder={known.includes(rule.name) ? 'Stays as it is' : undefined}
          required={rule.required && !known.includes(rule.name)}
          autoComplete="off"
          value={value[rule.name] ?? ''}
          onChange={(event) => set(rule.name, event.currentTarget.value)}
        />
      ))}
    </Stack>
  );
}
