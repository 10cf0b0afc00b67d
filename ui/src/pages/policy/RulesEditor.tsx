import { Button, Checkbox, Group, JsonInput, MultiSelect, NumberInput, SegmentedControl, Stack, TagsInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { grid, Panel } from '../../components/Page';
import { ErrorNote } from '../../components/States';

type Rules = Schema<'ProfileRules'>;

interface RulesEditorProps {
  profile: Schema<'Profile'>;
  etag: string;
  mayWrite: boolean;
}

/** The same rules as a form for what is common, and as source for everything. */
export function RulesEditor({ profile, etag, mayWrite }: RulesEditorProps) {
  const [rules, setRules] = useState<Rules>(profile.rules);
  const [source, setSource] = useState<string | null>(null);
  const save = useMutation({
    mutationFn: (): Promise<unknown> => {
      if (!written) throw new Error('the source is no JSON yet');
      return call(api.PUT('/api/v1/profiles/{name}', { params: { path: { name: profile.name }, header: { 'If-Match': etag } }, body: written }));
    },
  });
  const written = source === null ? rules : parse(source);
  const toForm = () => {
    // What cannot be read stays where it can be mended.
    if (!written) return;
    setRules(written);
    setSource(null);
  };
  const isChanged = source !== null ? source !== JSON.stringify(profile.rules, null, 2) : JSON.stringify(rules) !== JSON.stringify(profile.rules);
  return (
    <Stack>
      <Group justify="space-between">
        <SegmentedControl aria-label="View" data={[{ value: 'form', label: 'Form' }, { value: 'source', label: 'Source' }]} value={source === null ? 'form' : 'source'} onChange={(next) => (next === 'form' ? toForm() : setSource(JSON.stringify(rules, null, 2)))} />
        {mayWrite && (
          <Group gap="xs">
            {isChanged && <Button variant="default" onClick={() => { setRules(profile.rules); setSource(null); }}>As before</Button>}
            <Button disabled={!isChanged || !written} loading={save.isPending} onClick={() => save.mutate()}>Save as version {profile.version + 1}</Button>
          </Group>
        )}
      </Group>
      {save.error && <ErrorNote error={save.error} />}
      {source === null ? (
        <Form rules={rules} onChange={(parts) => setRules({ ...rules, ...parts })} readOnly={!mayWrite} />
      ) : (
        <JsonInput aria-label="Rules as JSON" autosize minRows={24} maxRows={60} validationError="This is no JSON yet" formatOnBlur readOnly={!mayWrite} classNames={{ input: 'mono' }} value={source} onChange={setSource} />
      )}
    </Stack>
  );
}

function parse(source: string): Rules | undefined {
  try {
    return JSON.parse(source) as Rules;
  } catch {
    return undefined;
  }
}

const KEYS = ['p-256', 'p-384', 'p-521', 'ed25519', 'rsa-2048', 'rsa-3072', 'rsa-4096'];
const DAY = 86_400;

function Form({ rules, onChange, readOnly }: { rules: Rules; onChange: (parts: Partial<Rules>) => void; readOnly: boolean }) {
  const names = rules.names;
  const setNames = (parts: Partial<Rules['names']>) => onChange({ names: { ...names, ...parts } });
  const keys = [...new Set([...KEYS, ...rules.key_algorithms])];
  return (
    <fieldset disabled={readOnly} className={grid.grid} style={{ border: 0, margin: 0, padding: 0 }}>
      <Panel title="What it is for" className={grid.span6}>
        <Stack gap="sm">
          <TextInput label="Description" value={rules.description} onChange={(event) => onChange({ description: event.currentTarget.value })} />
          <NumberInput label="Days a certificate is valid" min={1} decimalScale={3} value={rules.validity_seconds / DAY} onChange={(next) => typeof next === 'number' && onChange({ validity_seconds: Math.round(next * DAY) })} />
          <TagsInput label="Metadata that must be given" value={[...(rules.required_metadata ?? [])]} onChange={(required_metadata) => onChange({ required_metadata })} />
        </Stack>
      </Panel>
      <Panel title="Names" className={grid.span6}>
        <Stack gap="sm">
          <Group>
            <Checkbox label="DNS names" checked={names.dns} onChange={(event) => setNames({ dns: event.currentTarget.checked })} />
            <Checkbox label="Wildcards" checked={names.wildcards} onChange={(event) => setNames({ wildcards: event.currentTarget.checked })} />
            <Checkbox label="Addresses" checked={names.ip} onChange={(event) => setNames({ ip: event.currentTarget.checked })} />
            <Checkbox label="Mail addresses" checked={names.email ?? false} onChange={(event) => setNames({ email: event.currentTarget.checked })} />
          </Group>
          <TagsInput label="Allowed" description="Empty: all that are not denied" placeholder="*.example.org" value={[...(names.allow ?? [])]} onChange={(allow) => setNames({ allow })} />
          <TagsInput label="Denied" value={[...(names.deny ?? [])]} onChange={(deny) => setNames({ deny })} />
          <NumberInput label="Names at most" min={1} value={names.max} onChange={(next) => typeof next === 'number' && setNames({ max: next })} />
        </Stack>
      </Panel>
      <Panel title="Keys" className={grid.span6}>
        <Stack gap="sm">
          <MultiSelect label="Algorithms" data={keys} value={[...rules.key_algorithms]} onChange={(next) => onChange({ key_algorithms: next as Rules['key_algorithms'] })} />
          <Checkbox label="Each renewal needs a new key" checked={rules.new_key ?? false} onChange={(event) => onChange({ new_key: event.currentTarget.checked })} />
          <Checkbox label="May be asked to staple OCSP" checked={rules.must_staple ?? false} onChange={(event) => onChange({ must_staple: event.currentTarget.checked })} />
        </Stack>
      </Panel>
      <Panel title="Expressions" note="of CEL; each has to be true" className={grid.span6}>
        <Stack gap="sm">
          {(rules.expressions ?? []).map((rule, index) => (
            <div key={index} className="wrap"><code>{rule.expression}</code><div className="muted">{rule.message}</div></div>
          ))}
          {(rules.expressions ?? []).length === 0 && <p className="muted" style={{ margin: 0 }}>None. In the source they look like <code>{'{"expression": "names.all(n, n.endsWith(\'.example.org\'))", "message": "…"}'}</code></p>}
        </Stack>
      </Panel>
    </fieldset>
  );
}
