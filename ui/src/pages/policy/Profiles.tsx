import { Button, Modal, Select, Stack, TextInput } from '@mantine/core';
import { IconPlus, IconScale } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { useMay } from '../../api/session';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { Status } from '../../components/Status';
import { Table } from '../../components/Table';
import { duration } from '../../lib/time';
import { keyKind } from '../../lib/words';

export const profilesQuery = { queryKey: ['policy', 'profiles'], queryFn: () => call(api.GET('/api/v1/profiles')) };

export function Profiles() {
  const may = useMay();
  const query = useQuery(profilesQuery);
  const [open, setOpen] = useState(false);
  const add = may('policy:write') && <Button size="xs" leftSection={<IconPlus size={16} />} onClick={() => setOpen(true)}>New profile</Button>;
  return (
    <Panel title="Profiles" flush note={add}>
      <Loaded query={query}>
        {(page) =>
          page.items.length === 0 ? (
            <Empty icon={<IconScale size={24} />} title="No profiles" action={add}>A profile says which names, keys and lifetimes may be certified. Begin with a preset.</Empty>
          ) : (
            <Table
              label="Profiles"
              rows={page.items}
              id={(profile) => profile.id}
              columns={[
                { name: 'Profile', cell: (p) => <Link className="nowrap" to="/policy/profiles/$name" params={{ name: p.name }}>{p.name}</Link> },
                { name: 'For', cell: (p) => <span className="wrap">{p.rules.description || p.rules.kind}</span>, wide: true },
                { name: 'Valid for', cell: (p) => <span className="nowrap">{duration(p.rules.validity_seconds)}</span> },
                { name: 'Keys', cell: (p) => keyKinds(p.rules.key_algorithms), wide: true },
                { name: 'Issuers', cell: (p) => p.rules.issuers.map(({ issuer }) => <div key={issuer} className="nowrap">{issuer}</div>), wide: true },
                { name: 'Approval', cell: (p) => (p.rules.approval ? <Status tone="wait">needed</Status> : <span className="muted">none</span>) },
                { name: 'Version', cell: (p) => <span className="num">{p.version}</span>, align: 'right' },
              ]}
            />
          )
        }
      </Loaded>
      {open && <NewProfile onClose={() => setOpen(false)} />}
    </Panel>
  );
}

/** The first two, and how many more there are. */
function keyKinds(of: readonly string[]) {
  const [first = 'any', second, ...rest] = of.map(keyKind);
  return <span title={of.map(keyKind).join(', ')} className="nowrap">{first}{second && `, ${second}`}{rest.length > 0 && <span className="muted"> +{rest.length}</span>}</span>;
}

function NewProfile({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [preset, setPreset] = useState<string | null>('tls-server');
  const { data } = useQuery({ queryKey: ['policy', 'presets'], queryFn: () => call(api.GET('/api/v1/profile-presets', { params: { query: {} } })) });
  const make = useMutation({
    mutationFn: () => {
      const rules = (data?.items.find((each) => each.name === preset) ?? data?.items[0])?.rules;
      if (!rules) throw new Error('choose a preset to begin with');
      return call(api.PUT('/api/v1/profiles/{name}', { params: { path: { name }, header: { 'If-None-Match': '*' } }, body: rules }));
    },
    onSuccess: () => navigate({ to: '/policy/profiles/$name', params: { name } }),
  });
  return (
    <Modal opened onClose={onClose} title="New profile">
      <form onSubmit={(event) => { event.preventDefault(); make.mutate(); }}>
        <Stack>
          {make.error && <ErrorNote error={make.error} />}
          <TextInput label="Name" description="Small letters, digits and hyphens" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <Select label="Begin with" data={(data?.items ?? []).map((each) => each.name)} value={preset} onChange={setPreset} allowDeselect={false} />
          <Button type="submit" loading={make.isPending}>Make it, then adjust it</Button>
        </Stack>
      </form>
    </Modal>
  );
}
