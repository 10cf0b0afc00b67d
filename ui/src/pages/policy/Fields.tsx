import { Button, Checkbox, Modal, Select, Stack, TagsInput, TextInput } from '@mantine/core';
import { IconPlus, IconTags } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { State } from '../../components/Status';
import { Table } from '../../components/Table';
import { visible } from '../../lib/names';

type Rules = Schema<'FieldRules'>;

/** What is to be known of every certificate. */
export function Fields() {
  const may = useMay();
  const query = useQuery({ queryKey: ['policy', 'fields'], queryFn: () => call(api.GET('/api/v1/metadata-fields')) });
  const [edited, setEdited] = useState<{ name: string; rules: Rules } | null>(null);
  const retire = useMutation({ mutationFn: (name: string) => call(api.POST('/api/v1/metadata-fields/{name}/retire', { params: { path: { name } } })) });
  const add = may('policy:write') && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setEdited({ name: '', rules: { kind: 'string' } })}>New field</Button>;
  return (
    <Panel title="Metadata fields" flush note={add}>
      {retire.error && <ErrorNote error={retire.error} />}
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty icon={<IconTags size={24} />} title="No fields yet" action={add}>Cost centre, contact, environment: what your colleagues ask about a certificate at night.</Empty>
          ) : (
            <Table
              label="Metadata fields"
              rows={page.items}
              id={(field) => field.id}
              columns={[
                { name: 'Field', cell: (f) => <><strong>{visible(f.rules.label || f.name)}</strong> <code className="muted">{f.name}</code></> },
                { name: 'Kind', cell: (f) => <span className="wrap">{f.rules.kind}{f.rules.choices?.length ? `: ${f.rules.choices.join(', ')}` : ''}</span> },
                { name: 'Needed', cell: (f) => (f.rules.required ? 'yes' : <span className="muted">no</span>) },
                { name: 'About', cell: (f) => <span className="wrap muted">{visible(f.rules.description ?? '')}</span>, wide: true },
                { name: 'State', cell: (f) => <State of={f.status} /> },
                { name: '', align: 'right', cell: (f) => may('policy:write') && <><Button size="compact-xs" variant="default" onClick={() => setEdited({ name: f.name, rules: f.rules })}>Edit</Button> {f.status === 'active' && <Danger label="Retire" of={f.name} consequence="It is asked for no longer; values that were given stay." onConfirm={() => retire.mutate(f.name)} />}</> },
              ]}
            />
          )
        }
      </Loaded>
      {edited && <FieldDialog {...edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}

const KINDS = ['string', 'number', 'date', 'choice', 'boolean', 'user', 'team'];

function FieldDialog({ name: before, rules: given, onClose }: { name: string; rules: Rules; onClose: () => void }) {
  const [name, setName] = useState(before);
  const [rules, setRules] = useState(given);
  const change = (parts: Partial<Rules>) => setRules((now) => ({ ...now, ...parts }));
  const save = useMutation({ mutationFn: () => call(api.PUT('/api/v1/metadata-fields/{name}', { params: { path: { name } }, body: rules })), onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={before ? `Field ${before}` : 'New field'}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          {!before && <TextInput label="Name" description="As programs write it: cost_center" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />}
          <TextInput label="Label" value={rules.label ?? ''} onChange={(event) => change({ label: event.currentTarget.value })} />
          <TextInput label="Description" value={rules.description ?? ''} onChange={(event) => change({ description: event.currentTarget.value })} />
          <Select label="Kind" data={KINDS} value={rules.kind ?? 'string'} onChange={(kind) => change({ kind: (kind ?? 'string') as never })} allowDeselect={false} />
          {rules.kind === 'choice' && <TagsInput label="Choices" value={[...(rules.choices ?? [])]} onChange={(choices) => change({ choices })} />}
          {rules.kind === 'string' && <TextInput label="Pattern" placeholder="[0-9]{4}" value={rules.pattern ?? ''} onChange={(event) => change({ pattern: event.currentTarget.value || null })} />}
          <Checkbox label="Every request has to give it" checked={rules.required ?? false} onChange={(event) => change({ required: event.currentTarget.checked })} />
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}
