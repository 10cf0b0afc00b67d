import { Button, Modal, PasswordInput, SegmentedControl, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { ErrorNote } from '../../components/States';

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
  const { data } = useQuery({ queryKey: ['issuers', 'kinds'], queryFn: () => call(api.GET('/api/v1/issuer-kinds')) });
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Kind | null>(null);
  const [settings, setSettings] = useState('{}');
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const open = useOpen();
  const choose = (wanted: string | null) => {
    const found = data?.items.find((each) => each.name === wanted) ?? null;
    setKind(found);
    setSettings(JSON.stringify(found?.example ?? {}, null, 2));
    setSecrets({});
  };
  const add = useMutation({
    mutationFn: () => call(api.POST('/api/v1/issuers', { body: { name, kind: kind?.name ?? '', settings: parse(settings) as never, secrets: secrets as never } })),
    onSuccess: open,
    gcTime: 0,
  });
  return (
    <form onSubmit={(event) => { event.preventDefault(); add.mutate(); }}>
      <Stack>
        {add.error && <ErrorNote error={add.error} />}
        <TextInput label="Name" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <Select label="Kind" required data={(data?.items ?? []).map((each) => ({ value: each.name, label: `${each.name}: ${each.summary}` }))} value={kind?.name ?? null} onChange={choose} nothingFoundMessage="This server knows none" />
        {kind && <Textarea label="Settings" description="As JSON; the example shows what there is" autosize minRows={5} maxRows={16} classNames={{ input: 'mono' }} value={settings} onChange={(event) => setSettings(event.currentTarget.value)} />}
        {kind?.secrets.map((rule) => (
          <PasswordInput key={rule.name} label={rule.name} description={rule.summary} required={rule.required} autoComplete="off" value={secrets[rule.name] ?? ''} onChange={(event) => { const text = event.currentTarget.value; setSecrets((now) => ({ ...now, [rule.name]: text })); }} />
        ))}
        <Button type="submit" loading={add.isPending} disabled={!kind}>Add it, then test the connection</Button>
      </Stack>
    </form>
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('The settings are no JSON; look for a missing comma or quote');
  }
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
