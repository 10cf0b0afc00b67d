import { Button, Menu, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconBookmark, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { ErrorNote } from '../../components/States';
import { visible } from '../../lib/names';
import { useAddress } from '../../lib/search';
import { summaryQuery } from '../overview/queries';
import { filterOf } from './filters';
import css from './inventory.module.css';

/** Searches that are kept, for oneself or for a team. */
export function SavedViews() {
  const [search] = useAddress();
  const navigate = useNavigate();
  const [saving, dialog] = useDisclosure(false);
  const { data } = useQuery({
    queryKey: ['saved-searches'],
    queryFn: () => call(api.GET('/api/v1/saved-searches', { params: { query: { limit: 100 } } })),
  });
  const remove = useMutation({ mutationFn: (id: string) => call(api.DELETE('/api/v1/saved-searches/{id}', { params: { path: { id } } })) });
  const canSave = Object.keys(filterOf(search)).length > 0;
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Button variant="default" leftSection={<IconBookmark size={16} />}>
            Views
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {(data?.items ?? []).map((view) => (
            <div key={view.id} className={css.view}>
              <Menu.Item onClick={() => void navigate({ to: '/certificates', search: view.search as never })}>
                {visible(view.name)}
                {view.team && <span className="muted"> · {view.team}</span>}
              </Menu.Item>
              {view.own && (
                <Menu.Item w={36} flex="none" px={10} aria-label={`Delete ${visible(view.name)}`} closeMenuOnClick={false} onClick={() => remove.mutate(view.id)}>
                  <IconTrash size={16} aria-hidden />
                </Menu.Item>
              )}
            </div>
          ))}
          {data?.items.length === 0 && <Menu.Label>Filter the list, then keep it here.</Menu.Label>}
          <Menu.Divider />
          <Menu.Item disabled={!canSave} onClick={dialog.open}>
            Keep this view…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {saving && <SaveDialog onClose={dialog.close} search={search} />}
    </>
  );
}

function SaveDialog({ onClose, search }: { onClose: () => void; search: Record<string, string | undefined> }) {
  const [name, setName] = useState('');
  const [team, setTeam] = useState<string | null>(null);
  const { data: summary } = useQuery(summaryQuery);
  const save = useMutation({
    mutationFn: () => {
      const kept = { ...filterOf(search), ...(search.sort ? { sort: search.sort } : {}) };
      return call(api.POST('/api/v1/saved-searches', { body: { name, team: team ?? undefined, search: kept as never } }));
    },
    onSuccess: onClose,
  });
  return (
    <Modal opened onClose={onClose} title="Keep this view">
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          <TextInput label="Name" required data-autofocus maxLength={100} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Select label="Show it to a team as well" clearable placeholder="Only me" data={(summary?.by_team ?? []).flatMap((slice) => slice.name ?? [])} value={team} onChange={setTeam} />
          <Button type="submit" loading={save.isPending}>Keep</Button>
        </Stack>
      </form>
    </Modal>
  );
}
