import { Button, Menu, Modal, Progress, Stack } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { raw, type Schema } from '../../api/client';
import { ErrorNote } from '../../components/States';
import { save } from '../../lib/download';
import { linesOf } from '../../lib/stream';
import { Workbook, type Cell } from '../../lib/xlsx';
import { filterOf } from './filters';

type Search = Record<string, string | undefined>;

/** What a sheet can hold. */
const MOST_ROWS = 1_000_000;

function address(search: Search, format: string): string {
  const filter = Object.entries({ ...filterOf(search), sort: search.sort, format }).filter(([, value]) => value);
  return `/api/v1/certificates/export?${new URLSearchParams(filter as [string, string][]).toString()}`;
}

type Format = 'xlsx' | 'json';

/** All that fit the filters, as a file. What is put together here says how far it is, and can be given up. */
export function ExportMenu({ search, count }: { search: Search; count: number | undefined }) {
  const [done, setDone] = useState(0);
  const running = useRef<AbortController>(null);
  const make = useMutation({
    mutationFn: async (format: Format) => {
      setDone(0);
      running.current = new AbortController();
      const response = await raw(address(search, 'jsonl'), { signal: running.current.signal });
      const sink = format === 'xlsx' ? sheet() : list();
      let read = 0;
      for await (const lines of linesOf(response)) {
        sink.add(lines);
        read += lines.length;
        setDone(read);
      }
      save(sink.finish(), `certificates.${format}`);
    },
  });
  const close = () => {
    running.current?.abort();
    make.reset();
  };
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<IconDownload size={18} />} loading={make.isPending} disabled={count === 0}>
            Export
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={address(search, 'csv')} download="certificates.csv">
            CSV
          </Menu.Item>
          <Menu.Item disabled={(count ?? 0) > MOST_ROWS} onClick={() => make.mutate('xlsx')}>
            XLSX
          </Menu.Item>
          <Menu.Item onClick={() => make.mutate('json')}>JSON</Menu.Item>
          <Menu.Item component="a" href={address(search, 'jsonl')} download="certificates.jsonl">
            JSON lines
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {(make.isPending || make.error) && (
        <Modal opened onClose={close} title="Export" closeOnClickOutside={false}>
          <Stack>
            {make.error ? <ErrorNote error={make.error} retry={() => make.mutate(make.variables)} /> : <Progress value={count ? Math.min(100, (100 * done) / count) : 100} animated={!count} aria-label="How far the export is" />}
            <span className="num" role="status">{done.toLocaleString('en')}{count ? ` of ${count.toLocaleString('en')}` : ''} read{make.error && '; nothing was saved'}</span>
            <Button variant="default" onClick={close}>{make.error ? 'Close' : 'Cancel'}</Button>
          </Stack>
        </Modal>
      )}
    </>
  );
}

/** Where lines go, and the file that they make. */
interface Sink {
  add: (lines: readonly string[]) => void;
  finish: () => Blob;
}

function list(): Sink {
  const parts: Blob[] = [];
  return {
    add: (lines) => parts.push(new Blob([parts.length ? ',\n' : '[', lines.join(',\n')])),
    finish: () => new Blob([...parts, parts.length ? ']' : '[]'], { type: 'application/json' }),
  };
}

function sheet(): Sink {
  const book = new Workbook('Certificates');
  book.add([TITLES]);
  return { add: (lines) => book.add(lines.map(row)), finish: () => book.finish() };
}

const TITLES = ['Names', 'Subject', 'State', 'Not before', 'Not after', 'Issuer', 'Profile', 'Owner', 'Key', 'Serial', 'Fingerprint', 'Origin', 'Id', 'Metadata'];

function row(line: string): Cell[] {
  const certificate = JSON.parse(line) as Schema<'Certificate'>;
  return [
    certificate.names.join(', '), certificate.subject, certificate.status, certificate.not_before, certificate.not_after,
    certificate.issuer ?? certificate.issuer_name, certificate.profile ?? '', certificate.team ?? '', certificate.key_kind,
    certificate.serial, certificate.fingerprint, certificate.origin, certificate.id,
    Object.entries(certificate.metadata ?? {}).map(([name, value]) => `${name}=${String(value)}`).join('; '),
  ];
}
