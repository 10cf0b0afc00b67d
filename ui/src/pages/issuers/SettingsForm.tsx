import { Checkbox, JsonInput, NumberInput, PasswordInput, SegmentedControl, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Schema } from '../../api/client';
import { spaced } from '../../lib/words';

export type Settings = Record<string, unknown>;

type Rule = Schema<'IssuerSettingRule'>;

interface SettingsFormProps {
  /** What could be somebody's: it says which settings there are, and of what form. */
  example: Settings;
  /** What it can do without. */
  further: readonly Rule[];
  value: Settings;
  onChange: (value: Settings) => void;
}

/** The settings of a CA elsewhere: one input for each, or all of them as source. */
export function SettingsForm({ example, further, value, onChange }: SettingsFormProps) {
  const [source, setSource] = useState<string | null>(null);
  // Open from the beginning where one of them is set; after that, as people like it.
  const [begun] = useState(() => further.some(({ name }) => name in value));
  const names = [...new Set([...Object.keys(example), ...Object.keys(value)])].filter((name) => !further.some((rule) => rule.name === name));
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
        <>
          {names.map((name) => <Setting key={name} name={name} shape={example[name] ?? value[name]} value={value[name]} onChange={(next) => set(name, next)} />)}
          {further.length > 0 && (
            <details open={begun}>
              <summary>Further settings, where it needs them</summary>
              <Stack mt="sm">{further.map((rule) => <Further key={rule.name} rule={rule} value={value[rule.name]} onChange={(next) => set(rule.name, next)} />)}</Stack>
            </details>
          )}
        </>
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

/** `trust_anchors` as a person would write it. */
const titled = (name: string): string => spaced(name).replace(/^./, (first) => first.toUpperCase());

function Further({ rule: { name, form, choices, summary }, value, onChange }: { rule: Rule; value: unknown; onChange: (next: unknown) => void }) {
  const common = { label: titled(name), description: summary.replace(/^./, (first) => first.toUpperCase()) };
  const text = typeof value === 'string' ? value : '';
  switch (form) {
    case 'flag':
      return <Checkbox {...common} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked || undefined)} />;
    case 'number':
      return <NumberInput {...common} min={0} allowDecimal={false} value={typeof value === 'number' ? value : ''} onChange={(next) => onChange(next === '' ? undefined : Number(next))} />;
    case 'choice':
      return <Select {...common} clearable placeholder={choices?.[0]} data={[...(choices ?? [])]} value={text || null} onChange={(next) => onChange(next ?? undefined)} />;
    case 'list':
      return <TagsInput {...common} value={Array.isArray(value) ? value.map(String) : []} onChange={(next) => onChange(next.length ? next : undefined)} />;
    case 'pem':
      return <Textarea {...common} placeholder="-----BEGIN CERTIFICATE-----" autosize minRows={2} maxRows={8} classNames={{ input: 'mono' }} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
    case 'text':
      return <TextInput {...common} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
}

function Setting({ name, shape, value, onChange }: { name: string; shape: unknown; value: unknown; onChange: (next: unknown) => void }) {
  const [draft, setDraft] = useState(value === undefined ? '' : JSON.stringify(value, null, 2));
  const label = titled(name);
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
          label={titled(rule.name)}
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
