import { Button, FileInput, Group, PasswordInput, Select, Stack, Textarea } from '@mantine/core';
import { IconFileCertificate, IconUpload } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, raw, type Schema } from '../../api/client';
import { MetadataForm, type Values } from '../../components/MetadataForm';
import { grid, Page, Panel } from '../../components/Page';
import { Empty, ErrorNote } from '../../components/States';
import { State } from '../../components/Status';
import { Table } from '../../components/Table';
import { Names, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { plural } from '../../lib/time';

type Report = Schema<'ImportReport'>;

const FORMS = [
  { type: 'application/x-pem-file', label: 'PEM', ends: /\.(pem|crt|cert)$/i },
  { type: 'application/pkix-cert', label: 'DER', ends: /\.(der|cer)$/i },
  { type: 'application/x-pkcs7-certificates', label: 'PKCS#7', ends: /\.(p7b|p7c|spc)$/i },
  { type: 'application/x-pkcs12', label: 'PKCS#12', ends: /\.(p12|pfx)$/i },
  { type: 'text/csv', label: 'CSV: metadata for known ones', ends: /\.csv$/i },
  { type: 'application/x-ndjson', label: 'JSON lines: certificates with metadata', ends: /\.(jsonl|ndjson)$/i },
];

/** What is in the file: by its first octets where they tell, else by its name. */
async function formOf(file: File): Promise<string | undefined> {
  const start = await file.slice(0, 64).text();
  if (start.includes('-----BEGIN')) return 'application/x-pem-file';
  return FORMS.find(({ ends }) => ends.test(file.name))?.type;
}

/** Certificates from elsewhere: first what would happen, then that it happens. */
export function ImportPage() {
  const { data: teams } = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')), retry: false });
  const [file, setFile] = useState<File | null>(null);
  const [text, setText] = useState('');
  const [form, setForm] = useState('application/x-pem-file');
  const [password, setPassword] = useState('');
  const [team, setTeam] = useState<string | null>(null);
  const [metadata, setMetadata] = useState<Values>({});
  const send = useMutation({
    mutationFn: async (dryRun: boolean): Promise<Report> => {
      const given = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value));
      const query = new URLSearchParams({ dry_run: String(dryRun), ...(team ? { team } : {}), ...(Object.keys(given).length ? { metadata: JSON.stringify(given) } : {}) });
      const headers = { 'content-type': form, ...(form === 'application/x-pkcs12' && password ? { 'certwright-password': password } : {}) };
      const answer = await raw(`/api/v1/certificates/import?${query}`, { method: 'POST', headers, body: file ?? text });
      return (await answer.json()) as Report;
    },
    gcTime: 0,
  });
  // What was shown holds for what was looked at: another file begins anew.
  const anew = <T,>(set: (value: T) => void) => (value: T) => { set(value); send.reset(); };
  const choose = anew((next: File | null) => {
    setFile(next);
    if (next) void formOf(next).then((found) => found && setForm(found));
  });
  const isTable = form === 'text/csv';
  const report = send.data;
  return (
    <Page title="Import" above={{ label: 'Certificates', to: '/certificates' }} lead="What other CAs issued is watched like what is issued here. Private keys that come along are thrown away.">
      <div className={grid.grid}>
        <Panel title="What comes in" className={grid.span5}>
          <Stack>
            <FileInput label="File" placeholder="PEM, DER, PKCS#7, PKCS#12, CSV" leftSection={<IconFileCertificate size={16} />} clearable value={file} onChange={choose} />
            {!file && <Textarea label="Or paste" autosize minRows={6} maxRows={14} classNames={{ input: 'mono' }} placeholder="-----BEGIN CERTIFICATE-----" value={text} onChange={(event) => anew(setText)(event.currentTarget.value)} />}
            <Select label="Form" allowDeselect={false} data={FORMS.map(({ type, label }) => ({ value: type, label }))} value={form} onChange={(next) => next && anew(setForm)(next)} />
            {form === 'application/x-pkcs12' && <PasswordInput label="Password of the file" autoComplete="off" value={password} onChange={(event) => anew(setPassword)(event.currentTarget.value)} />}
            {isTable ? (
              <p className="muted" style={{ margin: 0 }}>Columns: <code>fingerprint</code>, or <code>serial</code> and <code>issuer</code>, then one for each metadata field.</p>
            ) : (
              <>
                <Select label="Owner" placeholder="Nobody" clearable data={(teams?.items ?? []).map((each) => each.name)} value={team} onChange={anew(setTeam)} />
                <MetadataForm values={metadata} onChange={anew(setMetadata)} />
              </>
            )}
            <Group>
              <Button variant="default" disabled={!file && !text.trim()} loading={send.isPending && send.variables} onClick={() => send.mutate(true)}>Show what would happen</Button>
              <Button leftSection={<IconUpload size={16} />} disabled={!report?.dry_run || report.added === 0} loading={send.isPending && !send.variables} onClick={() => send.mutate(false)}>Import</Button>
            </Group>
          </Stack>
        </Panel>
        <Panel title={report ? (report.dry_run ? 'What would happen' : 'What happened') : 'Dry run'} flush className={grid.span7}>
          {send.error && <div style={{ padding: 16 }}><ErrorNote error={send.error} /></div>}
          {report ? <Outcome report={report} /> : !send.error && <Empty icon={<IconFileCertificate size={24} />} title="Nothing looked at yet">Each certificate is judged by itself: new, known, or broken, with the reason.</Empty>}
        </Panel>
      </div>
    </Page>
  );
}

function Outcome({ report }: { report: Report }) {
  return (
    <>
      <p role="status" style={{ margin: 0, padding: '12px 16px' }} className="num">
        <strong>{report.added.toLocaleString('en')} new</strong>, {report.known.toLocaleString('en')} known, {report.broken.toLocaleString('en')} broken
        {report.keys_dropped ? <span className="muted"> · {plural(report.keys_dropped, 'private key')} thrown away</span> : null}
        {report.stopped && <span className="muted"> · reading ended early: {visible(report.stopped)}</span>}
      </p>
      <Table
        label="Outcome of the import"
        rows={report.entries}
        id={(entry) => entry.place}
        columns={[
          { name: 'Where', cell: (entry) => entry.place },
          { name: 'Verdict', cell: (entry) => <State of={entry.verdict} /> },
          { name: 'Names', cell: (entry) => { const names = <Names of={entry.names ?? []} fallback={entry.subject ?? '–'} />; return entry.certificate ? <Link to="/certificates/$id" params={{ id: entry.certificate }}>{names}</Link> : names; } },
          { name: 'Ends', cell: (entry) => (entry.not_after ? <When at={entry.not_after} /> : '–'), wide: true },
          { name: 'Why', cell: (entry) => <span className="wrap muted">{entry.reason && visible(entry.reason)}</span> },
        ]}
      />
    </>
  );
}
