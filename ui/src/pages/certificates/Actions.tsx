import { Button, Menu, Modal, PasswordInput, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { IconChevronDown, IconDownload, IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, raw, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { ErrorNote } from '../../components/States';
import { save } from '../../lib/download';
import { REVOCATION_REASONS } from '../../lib/words';
import { summaryQuery } from '../overview/queries';

type Certificate = Schema<'Certificate'>;
type Dialog = 'renew' | 'rekey' | 'revoke' | 'transfer' | 'p12';

export function CertificateActions({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  const [open, setOpen] = useState<Dialog | null>(null);
  const close = () => setOpen(null);
  const isOver = certificate.status === 'revoked';
  const file = (format: string) => `/api/v1/certificates/${certificate.id}/download?format=${format}`;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<IconDownload size={18} />} rightSection={<IconChevronDown size={14} />}>Download</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={file('chain')} download>Chain (PEM)</Menu.Item>
          <Menu.Item component="a" href={file('pem')} download>Certificate (PEM)</Menu.Item>
          <Menu.Item component="a" href={file('der')} download>Certificate (DER)</Menu.Item>
          <Menu.Item onClick={() => setOpen('p12')}>PKCS #12, without a key…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {may('certificates:edit') && <Button variant="default" onClick={() => setOpen('transfer')}>Transfer</Button>}
      {may('certificates:request') && certificate.profile && !isOver && !certificate.replaced_by && (
        <>
          <Button variant="default" onClick={() => setOpen('rekey')}>Re-key</Button>
          <Button leftSection={<IconRefresh size={18} />} onClick={() => setOpen('renew')}>Renew</Button>
        </>
      )}
      {may('certificates:revoke') && certificate.issuer && !isOver && (
        <Button variant="light" color="red" onClick={() => setOpen('revoke')}>Revoke</Button>
      )}
      {(open === 'renew' || open === 'rekey') && <Renew certificate={certificate} kind={open} onClose={close} />}
      {open === 'revoke' && <Revoke certificate={certificate} onClose={close} />}
      {open === 'transfer' && <Transfer certificate={certificate} onClose={close} />}
      {open === 'p12' && <Pkcs12 certificate={certificate} onClose={close} />}
    </>
  );
}

interface DialogProps {
  certificate: Certificate;
  onClose: () => void;
}

const ALGORITHMS = ['p-256', 'p-384', 'rsa-2048', 'rsa-3072', 'rsa-4096', 'ed25519'];

function Renew({ certificate, kind, onClose }: DialogProps & { kind: 'renew' | 'rekey' }) {
  const navigate = useNavigate();
  const [how, setHow] = useState<string>(kind === 'renew' ? 'same' : 'server');
  const [csr, setCsr] = useState('');
  const [algorithm, setAlgorithm] = useState('p-256');
  const act = useMutation({
    mutationFn: () => {
      const body: Schema<'Renew'> = how === 'csr' ? { csr } : how === 'server' ? { key: { algorithm: algorithm as never } } : {};
      const options = { params: { path: { id: certificate.id } }, body };
      return kind === 'renew' ? call(api.POST('/api/v1/certificates/{id}/renew', options)) : call(api.POST('/api/v1/certificates/{id}/rekey', options));
    },
    onSuccess: (enrollment) => navigate({ to: '/requests/$id', params: { id: enrollment.id } }),
  });
  const ways = [
    ...(kind === 'renew' ? [{ value: 'same', label: 'Keep the key' }] : []),
    { value: 'server', label: 'A new key, made on the server and fetched once' },
    { value: 'csr', label: 'A new key, in a CSR that I paste' },
  ];
  return (
    <Modal opened onClose={onClose} title={kind === 'renew' ? 'Renew' : 'Re-key'}>
      <Stack>
        {act.error && <ErrorNote error={act.error} />}
        <p className="muted" style={{ margin: 0 }}>Names and metadata stay, the profile counts as it is now. The old certificate stays valid until its end.</p>
        <Select label="Key" data={ways} value={how} onChange={(next) => setHow(next ?? 'same')} allowDeselect={false} />
        {how === 'server' && <Select label="Algorithm" data={ALGORITHMS} value={algorithm} onChange={(next) => setAlgorithm(next ?? 'p-256')} allowDeselect={false} />}
        {how === 'csr' && <Textarea label="CSR" autosize minRows={6} maxRows={12} placeholder="-----BEGIN CERTIFICATE REQUEST-----" value={csr} onChange={(event) => setCsr(event.currentTarget.value)} classNames={{ input: 'mono' }} />}
        <Button loading={act.isPending} onClick={() => act.mutate()}>{kind === 'renew' ? 'Renew' : 'Re-key'}</Button>
      </Stack>
    </Modal>
  );
}

function Revoke({ certificate, onClose }: DialogProps) {
  const [reason, setReason] = useState('superseded');
  const [typed, setTyped] = useState('');
  const name = certificate.names[0] ?? certificate.serial;
  const act = useMutation({
    mutationFn: () => call(api.POST('/api/v1/certificates/{id}/revoke', { params: { path: { id: certificate.id } }, body: { reason: reason as never } })),
    onSuccess: onClose,
  });
  return (
    <Modal opened onClose={onClose} title="Revoke, for good">
      <form onSubmit={(event) => { event.preventDefault(); act.mutate(); }}>
        <Stack>
          {act.error && <ErrorNote error={act.error} />}
          <p style={{ margin: 0 }}>Whoever checks CRL or OCSP stops trusting it within minutes. There is no way back.</p>
          <Select label="Reason" data={REVOCATION_REASONS} value={reason} onChange={(next) => setReason(next ?? 'unspecified')} allowDeselect={false} />
          <TextInput label={`Type “${name}” to be sure`} autoComplete="off" data-autofocus value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
          <Button type="submit" color="red" disabled={typed.trim() !== name} loading={act.isPending}>Revoke</Button>
        </Stack>
      </form>
    </Modal>
  );
}

function Transfer({ certificate, onClose }: DialogProps) {
  const { data: summary } = useQuery(summaryQuery);
  const { data: teams } = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')), retry: false });
  const names = teams?.items.map(({ name }) => name) ?? (summary?.by_team ?? []).flatMap((slice) => slice.name ?? []);
  const [team, setTeam] = useState<string | null>(certificate.team ?? null);
  const act = useMutation({
    mutationFn: () => call(api.PUT('/api/v1/certificates/{id}/owner', { params: { path: { id: certificate.id } }, body: { team } })),
    onSuccess: onClose,
  });
  return (
    <Modal opened onClose={onClose} title="Transfer to another owner">
      <Stack>
        {act.error && <ErrorNote error={act.error} />}
        <Select label="Owner" placeholder="Nobody" clearable searchable data={names} value={team} onChange={setTeam} nothingFoundMessage="No team of that name" />
        <Button loading={act.isPending} onClick={() => act.mutate()}>Transfer</Button>
      </Stack>
    </Modal>
  );
}

function Pkcs12({ certificate, onClose }: DialogProps) {
  const [password, setPassword] = useState('');
  const act = useMutation({
    mutationFn: async () => {
      const headers: Record<string, string> = password ? { 'Certwright-Password': password } : {};
      const response = await raw(`/api/v1/certificates/${certificate.id}/download?format=p12`, { headers });
      save(await response.blob(), `${certificate.names[0] ?? certificate.serial}.p12`);
    },
    onSuccess: onClose,
  });
  return (
    <Modal opened onClose={onClose} title="PKCS #12">
      <form onSubmit={(event) => { event.preventDefault(); act.mutate(); }}>
        <Stack>
          {act.error && <ErrorNote error={act.error} />}
          <PasswordInput label="Password for the file" data-autofocus autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
          <Button type="submit" loading={act.isPending}>Download</Button>
        </Stack>
      </form>
    </Modal>
  );
}
