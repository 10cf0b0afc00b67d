import { Button, SegmentedControl, Stack, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { MetadataForm, type Values } from '../../components/MetadataForm';
import { grid } from '../../components/Page';
import { Empty, ErrorNote } from '../../components/States';
import { Explained } from '../requests/ReviewStep';

/** Names or a CSR in, every rule's verdict out. */
export function TryIt({ profile }: { profile: string }) {
  const [form, setForm] = useState('names');
  const [text, setText] = useState('');
  const [metadata, setMetadata] = useState<Values>({});
  const explain = useMutation({
    mutationFn: (): Promise<Schema<'Explanation'>> => {
      const given = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value));
      const body = form === 'names' ? { names: text.split(/[\s,;]+/).filter(Boolean), metadata: given as never } : { csr: text, metadata: given as never };
      return call(api.POST('/api/v1/profiles/{name}/explain', { params: { path: { name: profile } }, body }));
    },
  });
  return (
    <div className={grid.grid}>
      <Stack className={grid.span5}>
        <SegmentedControl aria-label="By" data={[{ value: 'names', label: 'Names' }, { value: 'csr', label: 'CSR' }]} value={form} onChange={(next) => { setForm(next); setText(''); }} />
        <Textarea aria-label={form === 'names' ? 'Names' : 'CSR in PEM'} placeholder={form === 'names' ? 'www.example.org' : '-----BEGIN CERTIFICATE REQUEST-----'} autosize minRows={5} maxRows={14} classNames={{ input: 'mono' }} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <MetadataForm values={metadata} onChange={setMetadata} profile={profile} />
        <Button disabled={!text.trim()} loading={explain.isPending} onClick={() => explain.mutate()}>Explain</Button>
      </Stack>
      <div className={grid.span7}>
        {explain.error && <ErrorNote error={explain.error} />}
        {explain.data ? <Explained explanation={explain.data} /> : !explain.error && <Empty title="Nothing asked yet">Each rule says here whether it is met, and what would mend it.</Empty>}
      </div>
    </div>
  );
}
