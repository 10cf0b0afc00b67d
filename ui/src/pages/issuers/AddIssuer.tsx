import { Button, Group, Modal, SegmentedControl, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { ErrorNote } from '../../components/States';
import { Findings } from './Connection';
import { kindsQuery } from './queries';
import { SecretsForm, SettingsForm, type Settings } from './SettingsForm';

const WAYS = [
  { value: 'elsewhere', label: 'A CA elsewhere' },
  { value: 'request', label: 'A new CA here' },
  { value: 'import', label: 'Bring a CA along' },
];

/** Another CA: connected, made here and certified elsewhere, or brought along with its key. */
export function AddIssuer({ onClose }: { onClose: () => void }) {
  const [way, setWay] = useState('elsewhere');
  return (
    <Modal opened onClose={onClose} title="Add an issuer" size="lg">
      <Stack>
        <SegmentedControl aria-label="Which" data={WAYS} value={way} onChange={setWay} fullWidth />
        {way === 'elsewhere' && <Elsewhere />}
        {way === 'request' && <Request />}
        {way === 'import' && <Import />}
      </Stack>
    </Modal>
  );
}

function useOpen() {
  const navigate = useNavigate();
  return ({ name }: { name: string }) => navigate({ to: '/issuers/$name', params: { name } });
}

type Kind = Schema<'IssuerKind'>;

function Elsewhere() {
  const { data } = useQuery(kindsQuery);
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Kind | null>(null);
  const [settings, setSettings] = useState<Settings>({});
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const [certificates, setCertificates] = useState('');
  const kinds = (data?.items ?? []).filter((each) => each.name !== 'embedded');
  const choose = (wanted: string | null) => {
    setKind(kinds.find((each) => each.name === wanted) ?? null);
    setSettings({});
    setSecrets({});
  };
  const add = useMutation({
    mutationFn: () => call(api.POST('/api/v1/issuers', { body: { name, kind: kind?.name ?? '', settings: settings as never, secrets: secrets as never, ...(certificates.trim() ? { certificates } : {}) } })),
    gcTime: 0,
  });
  if (add.data) return <Trial name={add.data.name} />;
  return (
    <form onSubmit={(event) => { event.preventDefault(); add.mutate(); }}>
      <Stack>
        {add.error && <ErrorNote error={add.error} />}
        <TextInput label="Name" description="Small letters, digits and hyphens" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Select label="Kind" required data={kinds.map((each) => ({ value: each.name, label: `${each.name}: ${each.summary}` }))} value={kind?.name ?? null} onChange={choose} nothingFoundMessage="This server knows none" />
        {kind && <SettingsForm key={kind.name} example={kind.example as Settings} further={kind.further ?? []} value={settings} onChange={setSettings} />}
        {kind && <SecretsForm key={`${kind.name} secrets`} rules={kind.secrets} any={kind.takes_any_secret} value={secrets} onChange={setSecrets} />}
        {kind && <Textarea label="The CA’s certificates" description="PEM; empty: a test fetches them, where the CA can be asked" autosize minRows={2} maxRows={8} classNames={{ input: 'mono' }} value={certificates} onChange={(event) => setCertificates(event.currentTarget.value)} />}
        <Button type="submit" loading={add.isPending} disabled={!kind}>Add it and test the connection</Button>
      </Stack>
    </form>
  );
}

/** A first look at what was just added: whether it is reached, knows us and lets us work. */
function Trial({ name }: { name: string }) {
  const open = useOpen();
  const query = useQuery({ queryKey: ['issuer trial', name], queryFn: () => call(api.POST('/api/v1/issuers/{name}/test', { params: { path: { name } } })), refetchInterval: false, staleTime: 'static', gcTime: 0, retry: false });
  return (
    <Stack>
      <p style={{ margin: 0 }}><strong>{name}</strong> is there. Nothing is sent to it until a profile names it.</p>
      {query.isFetching && <p className="muted" role="status" style={{ margin: 0 }}>Testing the connection …</p>}
      {query.error && <ErrorNote error={query.error} />}
      {query.data && <Findings of={query.data.findings} />}
      <Group gap="xs">
        <Button onClick={() => void open({ name })}>Open it</Button>
        <Button variant="default" loading={query.isFetching} onClick={() => void query.refetch()}>Test again</Button>
      </Group>
    </Stack>
  );
}

function Request() {
  const [name, setName] = useState('');
  const [subject, setSubject] = useState('CN=Example Issuing CA, O=Example');
  const [algorithm, setAlgorithm] = useState('p-256');
  const open = useOpen();
  const add = useMutation({ mutationFn: () => call(api.POST('/api/v1/issuers/csr', { body: { name, subject, key_algorithm: algorithm as never } })), onSuccess: open });
  return (
    <form onSubmit={(event) => { event.preventDefault(); add.mutate(); }}>
      <Stack>
        {add.error && <ErrorNote error={add.error} />}
        <p className="muted" style={{ margin: 0 }}>The key is made here and stays here; a CA of yours certifies it by a CSR.</p>
        <TextInput label="Name" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <TextInput label="Subject" required value={subject} onChange={(event) => setSubject(event.currentTarget.value)} />
        <Select label="Key" data={['p-256', 'p-384', 'rsa-3072', 'rsa-4096']} value={algorithm} onChange={(next) => setAlgorithm(next ?? 'p-256')} allowDeselect={false} />
        <Button type="submit" loading={add.isPending}>Make key and CSR</Button>
      </Stack>
    </form>
  );
}

function Import() {
  const [name, setName] = useState('');
  const [certificates, setCertificates] = useState('');
  const [key, setKey] = useState('');
  const open = useOpen();
  const add = useMutation({ mutationFn: () => call(api.POST('/api/v1/issuers/import', { body: { name, certificates, key } })), onSuccess: open, gcTime: 0 });
  return (
    <form onSubmit={(event) => { event.preventDefault(); add.mutate(); }}>
      <Stack>
        {add.error && <ErrorNote error={add.error} />}
        <TextInput label="Name" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Textarea label="Certificate and those above it" description="PEM" required autosize minRows={5} maxRows={10} classNames={{ input: 'mono' }} value={certificates} onChange={(event) => setCertificates(event.currentTarget.value)} />
        <Textarea label="Private key" description="PEM, not encrypted; it is sealed and never shown again" required autosize minRows={4} maxRows={8} autoComplete="off" classNames={{ input: 'mono' }} value={key} onChange={(event) => setKey(event.currentTarget.value)} />
        <Button type="submit" loading={add.isPending}>Bring it along</Button>
      </Stack>
    </form>
  );
}
