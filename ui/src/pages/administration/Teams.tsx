import { Button, Modal, Stack, TextInput } from '@mantine/core';
import { IconPlus, IconUsersGroup } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { useMay } from '../../api/session';
import { Danger } from '../../components/Danger';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { Table } from '../../components/Table';
import { visible } from '../../lib/names';
import { summaryQuery } from '../overview/queries';

export function Teams() {
  const may = useMay();
  const query = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')) });
  const { data: summary } = useQuery(summaryQuery);
  const [edited, setEdited] = useState<{ name: string; description: string } | null>(null);
  const remove = useMutation({ mutationFn: (name: string) => call(api.DELETE('/api/v1/teams/{name}', { params: { path: { name } } })) });
  const count = (name: string) => summary?.by_team.find((slice) => slice.name === name)?.total ?? 0;
  const mayChange = may('access:administer');
  const add = mayChange && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setEdited({ name: '', description: '' })}>New team</Button>;
  return (
    <Panel title="Teams" flush note={add}>
      {remove.error && <ErrorNote error={remove.error} />}
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty icon={<IconUsersGroup size={24} />} title="No teams yet" action={add}>Certificates, profiles and directories can belong to a team; roles can be held in one.</Empty>
          ) : (
            <Table
              label="Teams"
              rows={page.items}
              id={(team) => team.id}
              columns={[
                { name: 'Team', cell: (t) => <strong>{t.name}</strong> },
                { name: 'About', cell: (t) => <span className="wrap">{visible(t.description)}</span>, wide: true },
                { name: 'Certificates', cell: (t) => <Link to="/certificates" search={{ team: t.name } as never} className="num">{count(t.name).toLocaleString('en')}</Link>, align: 'right' },
                { name: '', align: 'right', cell: (t) => mayChange && <><Button size="compact-xs" variant="default" onClick={() => setEdited(t)}>Describe</Button> <Danger label="Delete" of={t.name} consequence="Its grants go with it. A team that still owns something stays: transfer that first." onConfirm={() => remove.mutate(t.name)} /></> },
              ]}
            />
          )
        }
      </Loaded>
      {edited && <TeamDialog {...edited} onClose={() => setEdited(null)} />}
    </Panel>
  );
}

function TeamDialog({ name: before, description: text, onClose }: { name: string; description: string; onClose: () => void }) {
  const [name, setName] = useState(before);
  const [description, setDescription] = useState(text);
  const save = useMutation({ mutationFn: () => call(api.PUT('/api/v1/teams/{name}', { params: { path: { name } }, body: { description } })), onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={before || 'New team'}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          {!before && <TextInput label="Name" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />}
          <TextInput label="Description" value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}
