import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { IconPlugConnected, IconSettings } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Facts } from '../../components/Page';
import { ErrorNote } from '../../components/States';
import { Status } from '../../components/Status';
import { When } from '../../components/Text';
import { visible } from '../../lib/names';
import css from './issuers.module.css';
import { kindsQuery } from './queries';
import { SecretsForm, SettingsForm, type Settings } from './SettingsForm';

type Issuer = Schema<'Issuer'>;

const TONES = { passed: 'ok', warning: 'warn', failed: 'bad', skipped: 'off' } as const;

/** What was looked at, line by line. */
export function Findings({ of }: { of: readonly Schema<'IssuerFinding'>[] }) {
  return (
    <ul className={css.findings} role="status">
      {of.map((finding, index) => (
        <li key={index}>
          <strong>{finding.aspect}</strong>
          <Status tone={TONES[finding.outcome]}>{finding.outcome}</Status>
          <span className="wrap">{visible(finding.message)}</span>
        </li>
      ))}
    </ul>
  );
}

/** How a CA is reached; a trial; and the way to change it. */
export function Connection({ issuer }: { issuer: Issuer }) {
  const may = useMay();
  const [editing, setEditing] = useState(false);
  const { name, settings = {}, secrets = {} } = issuer;
  const test = useMutation({ mutationFn: () => call(api.POST('/api/v1/issuers/{name}/test', { params: { path: { name } } })) });
  return (
    <Stack gap="sm">
      <Facts
        rows={[
          ...Object.entries(settings).map(([key, value]) => [key, <span key={key} className="wrap">{visible(typeof value === 'string' ? value : JSON.stringify(value))}</span>] as [string, React.ReactNode]),
          ...Object.entries(secrets).map(([key, at]) => [key, <span key={key}>set <When at={at} />, never shown</span>] as [string, React.ReactNode]),
        ]}
      />
      {issuer.kind === 'embedded' && <p className="muted" style={{ margin: 0 }}>Its key is held by this server; there is nothing in between.</p>}
      {test.error && <ErrorNote error={test.error} />}
      {test.data && <Findings of={test.data.findings} />}
      <Group gap="xs">
        {may('issuers:operate') && <Button variant="default" leftSection={<IconPlugConnected size={16} />} loading={test.isPending} onClick={() => test.mutate()}>Test it</Button>}
        {may('issuers:administer') && issuer.kind !== 'embedded' && <Button variant="default" leftSection={<IconSettings size={16} />} onClick={() => setEditing(true)}>Change</Button>}
      </Group>
      {editing && <Change issuer={issuer} onClose={() => setEditing(false)} />}
    </Stack>
  );
}

function Change({ issuer, onClose }: { issuer: Issuer; onClose: () => void }) {
  const { data } = useQuery(kindsQuery);
  const kind = data?.items.find(({ name }) => name === issuer.kind);
  const [settings, setSettings] = useState<Settings>(issuer.settings ?? {});
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const [certificates, setCertificates] = useState('');
  const save = useMutation({
    mutationFn: () => call(api.PUT('/api/v1/issuers/{name}', { params: { path: { name: issuer.name } }, body: { settings: settings as never, secrets: secrets as never, ...(certificates.trim() ? { certificates } : {}) } })),
    onSuccess: onClose,
    gcTime: 0,
  });
  return (
    <Modal opened onClose={onClose} title={`Change ${issuer.name}`} size="lg">
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          {kind && <SettingsForm example={kind.example as Settings} further={kind.further ?? []} value={settings} onChange={setSettings} />}
          {kind && <SecretsForm rules={kind.secrets} any={kind.takes_any_secret} known={Object.keys(issuer.secrets ?? {})} value={secrets} onChange={setSecrets} />}
          <Textarea label="The CA’s certificates" description="PEM, in place of what is known; empty: they stay" autosize minRows={3} maxRows={8} classNames={{ input: 'mono' }} value={certificates} onChange={(event) => setCertificates(event.currentTarget.value)} />
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}
