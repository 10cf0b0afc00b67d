import { Button, Group, Modal, NumberInput, Select, Stack, TagsInput, TextInput } from '@mantine/core';
import { useMutation, useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { ErrorNote } from '../../components/States';
import { ENTRANCES, type Kind } from './entrances';

const KINDS: Kind[] = ['est', 'scep', 'cmp'];
const DAY = 86_400;

interface PasswordDialogProps {
  onClose: () => void;
  onMade: (parts: { label: string; text: string }[]) => void;
}

/** A password for one entry point. */
export function PasswordDialog({ onClose, onMade }: PasswordDialogProps) {
  const lists = useQueries({ queries: KINDS.map((kind) => ({ queryKey: ['enrolling', kind], queryFn: ENTRANCES[kind].list })) });
  const points = KINDS.map((kind, index) => ({ group: ENTRANCES[kind].title, items: (lists[index]?.data ?? []).map(({ name }) => ({ value: `${kind} ${name}`, label: name })) })).filter(({ items }) => items.length);
  const [name, setName] = useState('');
  const [point, setPoint] = useState<string | null>(null);
  const [who, setWho] = useState('');
  const [names, setNames] = useState<string[]>([]);
  const [uses, setUses] = useState<number | string>(1);
  const [days, setDays] = useState<number | string>('');
  const [kind, at = ''] = (point ?? '').split(' ');
  const make = useMutation({
    mutationFn: async () => {
      const common = { name, allowed_names: names, ...(typeof uses === 'number' ? { max_uses: uses } : {}), ...(typeof days === 'number' ? { lifetime_seconds: days * DAY } : {}) };
      if (kind === 'cmp') {
        const made = await call(api.POST('/api/v1/cmp/secrets', { body: { ...common, endpoint: at, ...(who ? { reference: who } : {}) } }));
        return [{ label: 'Reference', text: made.reference }, { label: 'Secret', text: made.secret }];
      }
      const made = await call(api.POST('/api/v1/enrollment-passwords', { body: { ...common, ...(kind === 'est' ? { est_label: at } : { scep_service: at }), ...(who ? { username: who } : {}) } }));
      return [...(made.username ? [{ label: 'User name', text: made.username }] : []), { label: 'Password', text: made.secret }];
    },
    onSuccess: onMade,
    gcTime: 0,
  });
  return (
    <Modal opened onClose={onClose} title="New password">
      <form onSubmit={(event) => { event.preventDefault(); make.mutate(); }}>
        <Stack>
          {make.error && <ErrorNote error={make.error} />}
          <TextInput label="Name" description="Which device or batch it is for" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Select label="What it opens" required data={points} value={point} onChange={setPoint} nothingFoundMessage="Open an entry point first" />
          {kind !== 'scep' && <TextInput label={kind === 'cmp' ? 'Reference' : 'User name'} description={kind === 'cmp' ? 'What clients send; empty: made up' : 'That has to come with it; empty: any'} value={who} onChange={(event) => setWho(event.currentTarget.value)} />}
          <TagsInput label="Names it may ask for" description="Empty: whatever the profile allows" placeholder=".example.org" value={names} onChange={setNames} />
          <Group grow>
            <NumberInput label="Certificates it opens" placeholder="Any number" min={1} allowDecimal={false} value={uses} onChange={setUses} />
            <NumberInput label="Days until it ends" placeholder="Never" min={1} allowDecimal={false} value={days} onChange={setDays} />
          </Group>
          <Button type="submit" loading={make.isPending} disabled={!point}>Make it</Button>
        </Stack>
      </form>
    </Modal>
  );
}
