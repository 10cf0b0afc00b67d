import { Button, Checkbox, Modal, Stack, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { useMay } from '../../api/session';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { ErrorNote, Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { Table } from '../../components/Table';
import { visible } from '../../lib/names';
import { plural } from '../../lib/time';

interface Draft {
  name: string;
  description: string;
  permissions: string[];
}

export function Roles() {
  const may = useMay();
  const query = useQuery({ queryKey: ['roles'], queryFn: () => call(api.GET('/api/v1/roles')) });
  const [edited, setEdited] = useState<(Draft & { isNew?: boolean; readOnly?: boolean }) | null>(null);
  const mayChange = may('access:administer');
  const add = mayChange && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setEdited({ name: '', description: '', permissions: [], isNew: true })}>New role</Button>;
  return (
    <Panel title="Roles" flush note={add}>
      <Loaded query={query}>
        {(page) => (
          <Table
            label="Roles"
            rows={page.items}
            id={(role) => role.name}
            columns={[
              { name: 'Role', cell: (r) => <strong>{r.name}</strong> },
              { name: 'About', cell: (r) => <span className="wrap">{visible(r.description)}</span>, wide: true },
              { name: 'Permissions', cell: (r) => plural(r.permissions.length, 'permission') },
              { name: 'Kind', cell: (r) => <Status tone={r.built_in ? 'off' : 'info'}>{r.built_in ? 'built in' : 'made here'}</Status> },
              { name: '', align: 'right', cell: (r) => <Button size="compact-xs" variant="default" onClick={() => setEdited({ name: r.name, description: r.description, permissions: [...r.permissions], readOnly: r.built_in || !mayChange })}>{r.built_in || !mayChange ? 'Show' : 'Edit'}</Button> },
            ]}
          />
        )}
      </Loaded>
      {edited && <RoleDialog draft={edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}

function RoleDialog({ draft, onClose }: { draft: Draft & { isNew?: boolean; readOnly?: boolean }; onClose: () => void }) {
  const [name, setName] = useState(draft.name);
  const [description, setDescription] = useState(draft.description);
  const [held, setHeld] = useState<string[]>(draft.permissions);
  const query = useQuery({ queryKey: ['permissions'], queryFn: () => call(api.GET('/api/v1/permissions')) });
  const save = useMutation({ mutationFn: () => call(api.PUT('/api/v1/roles/{name}', { params: { path: { name } }, body: { description, permissions: held as never } })), onSuccess: onClose });
  const remove = useMutation({ mutationFn: () => call(api.DELETE('/api/v1/roles/{name}', { params: { path: { name } } })), onSuccess: onClose });
  const error = save.error ?? remove.error;
  return (
    <Modal opened onClose={onClose} size="lg" title={draft.name || 'New role'}>
      <Stack>
        {error && <ErrorNote error={error} />}
        {draft.isNew && <TextInput label="Name" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />}
        {!draft.readOnly && <TextInput label="Description" value={description} onChange={(event) => setDescription(event.currentTarget.value)} />}
        <Loaded query={query} rows={8}>
          {(page) => (
            <Stack gap={6}>
              {page.items.map((permission) => (
                <Checkbox key={permission.name} disabled={draft.readOnly} label={permission.name} description={permission.description} checked={held.includes(permission.name)} onChange={() => setHeld(held.includes(permission.name) ? held.filter((each) => each !== permission.name) : [...held, permission.name])} />
              ))}
            </Stack>
          )}
        </Loaded>
        {!draft.readOnly && <Button loading={save.isPending} onClick={() => save.mutate()}>Save</Button>}
        {!draft.readOnly && !draft.isNew && <Danger label="Delete the role" size="sm" consequence="Whoever holds it may no longer do what it allowed." loading={remove.isPending} onConfirm={() => remove.mutate()} />}
      </Stack>
    </Modal>
  );
}
