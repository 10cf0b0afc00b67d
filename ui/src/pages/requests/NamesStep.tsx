import { NumberInput, Select, Stack, Textarea } from '@mantine/core';
import { IconDeviceLaptop, IconFileText, IconServer } from '@tabler/icons-react';
import { useState, type DragEvent } from 'react';
import type { Algorithm } from '../../lib/csr';
import { suspicion } from '../../lib/names';
import { namesOf, type Draft } from './draft';
import css from './requests.module.css';

interface NamesStepProps {
  draft: Draft;
  onChange: (parts: Partial<Draft>) => void;
}

const SOURCES = [
  { value: 'server', label: 'Key made on the server', icon: IconServer, text: 'Sealed until you fetch it, once.' },
  { value: 'browser', label: 'Key born in this browser', icon: IconDeviceLaptop, text: 'It never leaves this computer; you save it as a file.' },
  { value: 'csr', label: 'I have a CSR', icon: IconFileText, text: 'The key stays where it was made.' },
] as const;

export function NamesStep({ draft, onChange }: NamesStepProps) {
  const odd = namesOf(draft).flatMap((name) => suspicion(name) ?? []);
  return (
    <Stack>
      <div className={css.choices} role="radiogroup" aria-label="Where the key comes from">
        {SOURCES.map(({ value, label, icon: Icon, text }) => (
          <button key={value} type="button" role="radio" aria-checked={draft.source === value} className={css.choice} onClick={() => onChange({ source: value })}>
            <strong><Icon size={18} aria-hidden /> {label}</strong>
            <span className="muted">{text}</span>
          </button>
        ))}
      </div>
      {draft.source === 'csr' ? (
        <CsrField csr={draft.csr} onChange={(csr) => onChange({ csr })} />
      ) : (
        <>
          <Textarea
            label="Names"
            description="DNS names, wildcards, addresses, mailboxes or URIs, one on each line"
            autosize
            minRows={3}
            data-autofocus
            placeholder={'www.example.org\nexample.org'}
            error={odd[0]}
            value={draft.names}
            onChange={(event) => onChange({ names: event.currentTarget.value })}
          />
          {draft.source === 'server' ? (
            <Select maw={280} label="Key" data={['p-256', 'p-384', 'rsa-2048', 'rsa-3072', 'rsa-4096', 'ed25519']} value={draft.serverAlgorithm} onChange={(next) => onChange({ serverAlgorithm: next ?? 'p-256' })} allowDeselect={false} />
          ) : (
            <Select maw={280} label="Key" data={['p-256', 'p-384', 'rsa-2048', 'rsa-3072']} value={draft.browserAlgorithm} onChange={(next) => onChange({ browserAlgorithm: (next ?? 'p-256') as Algorithm })} allowDeselect={false} />
          )}
        </>
      )}
      <NumberInput maw={280} label="Days it is valid" description="As long as the profile allows, without a number" min={1} max={3650} value={draft.validityDays ?? ''} onChange={(next) => onChange({ validityDays: typeof next === 'number' ? next : null })} />
    </Stack>
  );
}

function CsrField({ csr, onChange }: { csr: string; onChange: (csr: string) => void }) {
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void event.dataTransfer.files[0]?.text().then(onChange);
  };
  return (
    <div className={css.drop} data-over={over} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
      <Textarea aria-label="CSR in PEM" placeholder="-----BEGIN CERTIFICATE REQUEST-----" autosize minRows={8} maxRows={16} classNames={{ input: 'mono' }} value={csr} onChange={(event) => onChange(event.currentTarget.value)} />
      <p style={{ margin: '12px 0 0' }}>
        Paste it, drop a file here, or{' '}
        <label style={{ textDecoration: 'underline', cursor: 'pointer' }}>
          choose one
          <input type="file" className="sr-only" accept=".csr,.pem,.req,.txt" onChange={(event) => void event.currentTarget.files?.[0]?.text().then(onChange)} />
        </label>
      </p>
    </div>
  );
}
